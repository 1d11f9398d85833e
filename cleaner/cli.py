"""The command: parse, one library call, print, exit code. Data goes to standard output, all else to standard error."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cleaner import __version__, render
from cleaner.config import Config
from cleaner.corpus.files import Kind, kind_of, place
from cleaner.corpus.job import Format, Job, OnLoss, Spans, Summary
from cleaner.corpus.learn import LEAST
from cleaner.corpus.run import Run
from cleaner.corpus.sinks import write_atomically
from cleaner.corpus.sources import STDIN, InputFormat, check_readable_twice
from cleaner.corpus.targets import Targets
from cleaner.corpus.work import as_text
from cleaner.errors import CleanerError, ConfigError, ModelError, OutputError
from cleaner.evidence.repeats import Profile
from cleaner.model import store
from cleaner.options import (
    Drop,
    Fast,
    Glob,
    HtmlModelName,
    IdKey,
    Inputs,
    Jobs,
    Keep,
    Limit,
    MaxBodyLoss,
    MinScore,
    ModelName,
    Precision,
    Quiet,
    Reads,
    Recall,
    SiteKey,
    TextKey,
    UrlKey,
    Verbose,
)  # fmt: skip
from cleaner.pipeline import Cleaner
from cleaner.records import DEFAULT_KEEP, Document, Label
from cleaner.report.running import (
    EXIT_INTERRUPTED,
    EXIT_MODEL,
    EXIT_OUTPUT,
    EXIT_SOME_FAILED,
    EXIT_USAGE,
    emit,
    learned,
    say,
    show_run,
)  # fmt: skip
from cleaner.report.terminal import explained
from cleaner.segment.decode import encode

app = typer.Typer(
    help="Give it what your scraper wrote, get back what the author wrote.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command and exit."""
    try:
        app()
    except ModelError as error:
        say(f"error: {error}")
        sys.exit(EXIT_MODEL)
    except OutputError as error:
        say(f"error: {error}")
        sys.exit(EXIT_OUTPUT)
    except CleanerError as error:
        say(f"error: {error}")
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        say("interrupted.")
        sys.exit(EXIT_INTERRUPTED)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"cleaner {__version__} (models {store.DEFAULT}, {store.DEFAULT_HTML})")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command("clean")
def clean_command(
    inputs: Inputs = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Where to write: a file, a folder for several documents, or .jsonl or .parquet.",
            show_default=False,
        ),
    ] = None,
    keep: Keep = None,
    drop: Drop = None,
    min_score: MinScore = None,
    max_body_loss: MaxBodyLoss = None,
    precision: Precision = False,
    recall: Recall = False,
    removed: Annotated[
        Path | None,
        typer.Option(help="A folder for what was taken out, one file a document: label, tab, line."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write a JSON object a document instead of text.")] = False,
    input_format: Reads = InputFormat.AUTO,
    glob: Glob = None,
    text_key: TextKey = "text",
    id_key: IdKey = "id",
    url_key: UrlKey = "url",
    labels: Annotated[
        Spans | None,
        typer.Option(
            help="Rows get a list of their lines with labels; or become Dolma attributes: spans of each label.",
            show_default=False,
        ),
    ] = None,
    labels_key: Annotated[str, typer.Option(help="The field for that list.")] = "labels",
    max_loss: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Flag documents that lose more of their words, such as 0.6.", show_default=False
        ),
    ] = None,
    on_loss: Annotated[
        OnLoss, typer.Option(help="What happens to them: flagged only, or left as they are.")
    ] = OnLoss.FLAG,
    profile: Annotated[
        Path | None, typer.Option(help="What sites repeat, as `cleaner learn` wrote it.", show_default=False)
    ] = None,
    learn_first: Annotated[bool, typer.Option("--learn", help="Learn that from the input itself first.")] = False,
    keep_first: Annotated[
        bool, typer.Option("--keep-first", help="Of what a site repeats, keep the copy in one document.")
    ] = False,
    site_key: SiteKey = None,
    fast: Fast = False,
    model: ModelName = store.DEFAULT,
    html_model: HtmlModelName = store.DEFAULT_HTML,
    jobs: Jobs = 1,
    time_limit: Annotated[float, typer.Option(min=0.1, help="Seconds that one document may take.")] = 60.0,
    limit: Limit = None,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--no-resume", help="Go on with a run that was stopped, or begin it anew.", show_default=False
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be read and written, and stop.")] = False,
    summary: Annotated[
        Path | None, typer.Option(help="A JSON file for the counts of the run.", show_default=False)
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Take boilerplate and ads out of text dumps of web pages, or out of HTML."""
    config = _config(keep, drop, min_score, max_body_loss, precision, recall)
    place_out = None if output is None else place(output)
    targets = Targets(tuple(inputs or [STDIN]), place_out, removed, ".json" if as_json else None, input_format, glob)
    targets.check(prints_many=as_json)
    if labels is Spans.DOLMA and targets.rows is Kind.PARQUET:
        raise ConfigError("Dolma's attributes are JSON lines; name a .jsonl file for them.")
    if dry_run:
        for read, written in targets.preview():
            print(f"{read} -> {written}")
        return
    job = Job(
        config=config,
        model=str(store.find(model)),
        html_model=str(store.find(html_model)),
        input_format=input_format,
        fast=fast,
        format=Format.JSON if as_json else Format.TEXT,
        text_key=text_key,
        id_key=id_key,
        url_key=url_key,
        spans=labels,
        labels_key=labels_key,
        max_loss=max_loss,
        on_loss=on_loss,
        seconds=time_limit,
        profile=None if profile is None else str(profile),
        keep_first=keep_first,
        site_key=site_key,
    )
    if profile is not None:
        if learn_first:
            raise ConfigError("--profile and --learn are both given; either use a profile or learn one.")
        Profile.load(profile)
    elif learn_first:
        check_readable_twice(targets.inputs)
        job = replace(job, profile=str(targets.profile()))
    elif keep_first or site_key:
        raise ConfigError("--keep-first and --site-key are about --profile and --learn; give one of those too.")
    run = Run(targets, job, jobs=jobs, limit=limit, resume=resume)
    if learn_first and not (resume and targets.profile().exists()):
        profile_learned = learned(targets, job, jobs, LEAST, limit, Summary(), quiet)
        write_atomically(targets.profile(), profile_learned.to_json().encode("utf-8"))
    show_run(targets, run, quiet, verbose, summary)


@app.command("label")
def label_command(
    inputs: Inputs = None,
    keep: Keep = None,
    drop: Drop = None,
    min_score: MinScore = None,
    max_body_loss: MaxBodyLoss = None,
    precision: Precision = False,
    recall: Recall = False,
    input_format: Reads = InputFormat.AUTO,
    text_key: TextKey = "text",
    id_key: IdKey = "id",
    url_key: UrlKey = "url",
    fast: Fast = False,
    model: ModelName = store.DEFAULT,
    html_model: HtmlModelName = store.DEFAULT_HTML,
    jobs: Jobs = 1,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print every line with its label: a JSON object a document, nothing taken away."""
    config = _config(keep, drop, min_score, max_body_loss, precision, recall)
    targets = Targets(tuple(inputs or [STDIN]), None, None, None, input_format)
    targets.check(prints_many=True)
    job = Job(
        config=config,
        model=str(store.find(model)),
        html_model=str(store.find(html_model)),
        input_format=input_format,
        fast=fast,
        format=Format.LABELS,
        text_key=text_key,
        id_key=id_key,
        url_key=url_key,
    )
    show_run(targets, Run(targets, job, jobs=jobs), quiet, verbose, None)


@app.command("learn")
def learn_command(
    inputs: Inputs = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file for the profile.")] = Path(
        "site-profile.json"
    ),
    site_key: SiteKey = None,
    least: Annotated[
        int, typer.Option(min=1, help="Leave out lines that stand in fewer documents; 1 makes merging exact.")
    ] = LEAST,
    merge: Annotated[
        list[Path] | None, typer.Option(help="Add a profile that was learned elsewhere.", show_default=False)
    ] = None,
    input_format: Reads = InputFormat.AUTO,
    glob: Glob = None,
    text_key: TextKey = "text",
    id_key: IdKey = "id",
    url_key: UrlKey = "url",
    model: ModelName = store.DEFAULT,
    html_model: HtmlModelName = store.DEFAULT_HTML,
    jobs: Jobs = 1,
    limit: Limit = None,
    quiet: Quiet = False,
) -> None:
    """Learn which lines each site repeats, for `clean --profile`."""
    profiles = [Profile.load(path) for path in merge or []]
    summary = Summary()
    if inputs or not profiles:
        targets = Targets(tuple(inputs or [STDIN]), None, None, None, input_format, glob)
        check_readable_twice(targets.inputs)
        targets.check(prints_many=True)
        job = Job(
            model=str(store.find(model)),
            html_model=str(store.find(html_model)),
            input_format=input_format,
            fast=True,  # what is counted hardly differs
            text_key=text_key,
            id_key=id_key,
            url_key=url_key,
            site_key=site_key,
        )
        profiles.append(learned(targets, job, jobs, least, limit, summary, quiet))
    profile = functools.reduce(Profile.merged, profiles)
    write_atomically(output, profile.to_json().encode("utf-8"))
    if not quiet:
        lines = sum(len(site.lines) for site in profile.sites.values())
        say(f"{lines:,} lines that {len(profile.sites):,} sites repeat are in {output}.")
        if profile.undercount:
            say(f"counts may be {profile.undercount} too small: the parts left rare lines out (--least).")
    if summary.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


@app.command("explain")
def explain_command(
    file: Annotated[str, typer.Argument(help="A text file, or - for standard input.")] = STDIN,
    keep: Keep = None,
    drop: Drop = None,
    min_score: MinScore = None,
    max_body_loss: MaxBodyLoss = None,
    precision: Precision = False,
    recall: Recall = False,
    input_format: Reads = InputFormat.AUTO,
    fast: Fast = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as a JSON object, as `label` prints it.")] = False,
    model: ModelName = store.DEFAULT,
    html_model: HtmlModelName = store.DEFAULT_HTML,
) -> None:
    """Show a document in the terminal: what stays, what goes, and why."""
    config = _config(keep, drop, min_score, max_body_loss, precision, recall)
    cleaner = Cleaner(config=config, model=model, html_model=html_model, fast=fast)
    document = _labelled(cleaner, file, _read(file), input_format)
    for note in document.notes:
        say(f"{file}: {note}")
    if as_json:
        typer.echo(json.dumps(render.to_json(document, file, document.text)))
        return
    console = Console(soft_wrap=True, highlight=False)
    for line in document.lines:
        console.print(explained(document, line))
    kept = sum(document.is_kept(line) for line in document.lines)
    say(f"{kept} of {len(document.lines)} lines kept.")


@app.command("restore")
def restore_command(
    file: Annotated[str, typer.Argument(help="What `clean --json` or `label` wrote, or - for standard input.")] = STDIN,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write: a file, or a folder for several documents."),
    ] = None,
) -> None:
    """Put original documents together again, byte for byte."""
    restored = list(_restored(_read(file)))
    if output is None or (len(restored) == 1 and not output.is_dir()):
        if len(restored) != 1:
            raise ConfigError(f"{file} holds {len(restored)} documents; name a folder for them with -o.")
        emit(restored[0][1]) if output is None else write_atomically(output, restored[0][1])
        return
    for id, data in restored:
        name = PurePosixPath(id)
        if name.is_absolute() or ".." in name.parts or not name.name:
            raise ConfigError(
                f"the id {id!r} cannot be a file below {output}; restore it alone, with -o and a file name."
            )
        write_atomically(output / name, data)


@app.command("labels")
def labels_command() -> None:
    """What each label means, and whether it is kept by default."""
    table = Table("label", "kept", "meaning", box=None, pad_edge=False)
    for label in Label:
        table.add_row(label.value, "yes" if label in DEFAULT_KEEP else "", label.meaning)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _labelled(cleaner: Cleaner, file: str, data: bytes, format: InputFormat) -> Document:
    decoded = as_text(data, kind_of(file) is Kind.HTML, format)
    if decoded is None:
        return cleaner.label_html(data)
    return replace(cleaner.label(decoded.text), notes=decoded.notes)


def _config(
    keep: str | None,
    drop: str | None,
    min_score: float | None,
    max_body_loss: float | None,
    precision: bool,
    recall: bool,
) -> Config:
    return Config(
        keep=_labels(keep),
        drop=_labels(drop),
        min_score=min_score,
        max_body_loss=max_body_loss,
        favor_precision=precision,
        favor_recall=recall,
    )


def _labels(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def _restored(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        text = data.decode("utf-8-sig")
        try:
            contents = [json.loads(text)]
        except json.JSONDecodeError:
            contents = [json.loads(row) for row in text.splitlines() if row.strip()]
    except ValueError as error:
        raise ConfigError(f"this is not JSON ({error}); restore reads what `clean --json` or `label` wrote.") from None
    for content in contents:
        original, encoding = render.restore(content)
        yield str(content.get("id", "")), encode(original, encoding)


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from None


if __name__ == "__main__":
    main()

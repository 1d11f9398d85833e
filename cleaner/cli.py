"""The command: parse, one library call, print, exit code. Data goes to standard output, all else to standard error."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from cleaner import __version__, render
from cleaner.config import Config
from cleaner.corpus.files import Kind, kind_of, place
from cleaner.corpus.job import Format, Job, OnLoss, Result, Spans, Summary
from cleaner.corpus.learn import LEAST, learn
from cleaner.corpus.run import Run
from cleaner.corpus.sinks import write_atomically
from cleaner.corpus.sources import STDIN, InputFormat, check_readable_twice
from cleaner.corpus.targets import Targets
from cleaner.corpus.work import as_text
from cleaner.errors import CleanerError, ConfigError, ModelError, OutputError
from cleaner.evidence.repeats import Profile
from cleaner.model import store
from cleaner.pipeline import Cleaner
from cleaner.records import DEFAULT_KEEP, Document, Label
from cleaner.report.terminal import explained
from cleaner.segment.decode import encode

EXIT_DONE, EXIT_SOME_FAILED, EXIT_USAGE, EXIT_MODEL, EXIT_OUTPUT, EXIT_INTERRUPTED = 0, 1, 2, 3, 4, 130

#: So many names that stand more than once are said; the summary has more.
_MOST_SAID = 10

app = typer.Typer(
    help="Give it what your scraper wrote, get back what the author wrote.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        help="Files, folders or - for standard input: .txt, .html, .jsonl, .parquet, .warc, .wet, also .gz and .zst.",
        show_default=False,
    ),
]
Keep = Annotated[str | None, typer.Option(help="Labels to keep, with commas; default: body,title.", show_default=False)]
Drop = Annotated[str | None, typer.Option(help="Labels to leave out of the default.", show_default=False)]
MinScore = Annotated[
    float | None,
    typer.Option(help="Keep lines from this score on; default: the model's own threshold.", show_default=False),
]
MaxBodyLoss = Annotated[
    float | None,
    typer.Option(
        help="The share of the body that may be lost, such as 0.01, for the most removal.", show_default=False
    ),
]
Precision = Annotated[bool, typer.Option("--precision", help="Take out more, at the cost of some body.")]
Recall = Annotated[bool, typer.Option("--recall", help="Keep more, and some boilerplate with it.")]
ModelName = Annotated[str, typer.Option("--model", help="A shipped model's name, or the path of a model folder.")]
HtmlModelName = Annotated[str, typer.Option("--html-model", help="The same for HTML.")]
Reads = Annotated[InputFormat, typer.Option("--input-format", help="What the input is; auto goes by name and content.")]
Fast = Annotated[bool, typer.Option("--fast", help="Label HTML without asking trafilatura: less time, nearly as good.")]
Glob = Annotated[
    str | None, typer.Option(help="A pattern for the files of a folder, such as '*.wet.gz'.", show_default=False)
]
TextKey = Annotated[str, typer.Option(help="The field of a row that holds its text.")]
IdKey = Annotated[str, typer.Option(help="The one that holds its name.")]
UrlKey = Annotated[str, typer.Option(help="The one that holds its address.")]
SiteKey = Annotated[
    str | None,
    typer.Option(
        help="The field of a row that names its site; default: its address, else its folder.", show_default=False
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Stop after so many documents.", show_default=False)]
Jobs = Annotated[int, typer.Option(min=1, help="How many processes to use.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say a line about each document.")]


def main() -> None:
    """Run the command and exit."""
    try:
        app()
    except ModelError as error:
        _say(f"error: {error}")
        sys.exit(EXIT_MODEL)
    except OutputError as error:
        _say(f"error: {error}")
        sys.exit(EXIT_OUTPUT)
    except CleanerError as error:
        _say(f"error: {error}")
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        _say("interrupted.")
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
        path = targets.profile()
        if not path.exists() or not resume:
            learned = _learned(targets, job, jobs, LEAST, limit, Summary(), quiet)
            write_atomically(path, learned.to_json().encode("utf-8"))
        job = replace(job, profile=str(path))
    elif keep_first or site_key:
        raise ConfigError("--keep-first and --site-key are about --profile and --learn; give one of those too.")
    _run(targets, Run(targets, job, jobs=jobs, limit=limit, resume=resume), quiet, verbose, summary)


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
    _run(targets, Run(targets, job, jobs=jobs), quiet, verbose, None)


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
    fast: Fast = True,
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
            fast=fast,
            text_key=text_key,
            id_key=id_key,
            url_key=url_key,
            site_key=site_key,
        )
        profiles.append(_learned(targets, job, jobs, least, limit, summary, quiet))
    profile = functools.reduce(Profile.merged, profiles)
    write_atomically(output, profile.to_json().encode("utf-8"))
    if not quiet:
        lines = sum(len(site.lines) for site in profile.sites.values())
        _say(f"{lines:,} lines that {len(profile.sites):,} sites repeat are in {output}.")
        if profile.undercount:
            _say(f"counts may be {profile.undercount} too small: the parts left rare lines out (--least).")
    if summary.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _learned(
    targets: Targets, job: Job, jobs: int, least: int, limit: int | None, summary: Summary, quiet: bool
) -> Profile:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        bar = progress.add_task("learning", total=None)
        for step in learn(targets, job, jobs=jobs, least=least, limit=limit):
            if isinstance(step, Profile):
                return step
            summary.add(step)
            for id, error in step.failures:
                _say(f"error: {id}: {error}")
            progress.update(bar, description=f"{summary.documents:,} documents")
    raise AssertionError("learning ends with a profile")


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
    model: ModelName = store.DEFAULT,
    html_model: HtmlModelName = store.DEFAULT_HTML,
) -> None:
    """Show a document in the terminal: what stays, what goes, and why."""
    config = _config(keep, drop, min_score, max_body_loss, precision, recall)
    cleaner = Cleaner(config=config, model=model, html_model=html_model, fast=fast)
    document = _labelled(cleaner, file, _read(file), input_format)
    for note in document.notes:
        _say(f"{file}: {note}")
    console = Console(soft_wrap=True, highlight=False)
    for line in document.lines:
        console.print(explained(document, line))
    kept = sum(document.is_kept(line) for line in document.lines)
    _say(f"{kept} of {len(document.lines)} lines kept.")


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
        _emit(restored[0][1]) if output is None else write_atomically(output, restored[0][1])
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


def _run(targets: Targets, run: Run, quiet: bool, verbose: bool, summary_file: Path | None) -> None:
    output = targets.output
    if STDIN in targets.inputs and sys.stdin.isatty():
        _say("reading standard input; end it with Ctrl-D.")
    console = Console(stderr=True)
    shows_progress = not quiet and output is not None and console.is_terminal
    began = time.monotonic()
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    try:
        with Progress(*columns, console=console, transient=True, disable=not shows_progress) as progress:
            bar = progress.add_task("cleaning", total=(targets.size() or None) if shows_progress else None)
            for step in run.steps():
                progress.update(bar, completed=step.consumed, description=f"{run.summary.documents:,} documents")
                for result in step.results:
                    _report(result, verbose and not quiet, quiet)
                    if result.output is not None:
                        _emit(result.output)
                if step.rows is not None:
                    _emit(step.rows)
    except OutputError as error:
        again = "; once that is mended, the same command with --resume goes on" if run.can_resume else ""
        raise OutputError(f"{str(error).removesuffix('.')}{again}.") from error
    finally:
        if summary_file is not None:
            write_atomically(summary_file, _summary(run, time.monotonic() - began))
    summary = run.summary
    for name in run.repeated[:_MOST_SAID]:
        _say(f"{name}: more than one document has this name.")
    if len(run.repeated) > _MOST_SAID:
        _say(f"... and {len(run.repeated) - _MOST_SAID} more such names.")
    if run.interrupted:
        _say(f"interrupted after {summary.documents:,} documents; the same command with --resume goes on.")
        raise typer.Exit(EXIT_INTERRUPTED)
    if output is not None and not quiet:
        _say(
            f"{summary.documents - summary.failed:,} of {summary.documents:,} documents cleaned into {output}; "
            f"{summary.kept:,} of {summary.lines:,} lines kept."
        )
        if summary.flagged:
            _say(f"{summary.flagged:,} documents lost more of their words than --max-loss allows.")
    if summary.failed and summary.documents > 1:
        _say(f"{summary.failed:,} of {summary.documents:,} documents failed; each is named above.")
    if summary.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _summary(run: Run, seconds: float) -> bytes:
    told = run.summary.to_json() | {
        "repeated_names": run.repeated,
        "interrupted": run.interrupted,
        "seconds": round(seconds, 3),
    }
    return json.dumps(told, indent=2, ensure_ascii=True).encode("ascii") + b"\n"


def _report(result: Result, verbose: bool, quiet: bool) -> None:
    if result.error is not None:
        _say(f"error: {result.id}: {result.error}")
        return
    if not quiet:
        for note in result.notes:
            _say(f"{result.id}: {note}")
    if verbose:
        _say(f"{result.id}: {result.kept} of {result.lines} lines kept.")


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


def _emit(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # what is still in the buffer would fail once more on exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # then whoever read the output has seen enough
            _say(f"error: standard output cannot be written: {error.strerror}.")
        raise typer.Exit(EXIT_SOME_FAILED) from None


def _say(message: str) -> None:
    typer.echo(message.encode("utf-8", "replace").decode("utf-8"), err=True)


if __name__ == "__main__":
    main()

"""A run in the terminal: its progress, what it says of documents, and how it ends."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

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

from cleaner.corpus.job import Job, Result, Summary
from cleaner.corpus.learn import learn
from cleaner.corpus.run import Run
from cleaner.corpus.sinks import write_atomically
from cleaner.corpus.sources import STDIN
from cleaner.corpus.targets import Targets
from cleaner.errors import OutputError
from cleaner.evidence.repeats import Profile

EXIT_DONE, EXIT_SOME_FAILED, EXIT_USAGE, EXIT_MODEL, EXIT_OUTPUT, EXIT_INTERRUPTED = 0, 1, 2, 3, 4, 130
#: So many names that stand more than once are said; the summary has more.
_MOST_SAID = 10


def show_run(targets: Targets, run: Run, quiet: bool, verbose: bool, summary_file: Path | None) -> None:
    """Do a run and say how it goes.

    Args:
        targets: what it reads and writes.
        run: the run.
        quiet: whether only errors are said.
        verbose: whether a line is said of each document.
        summary_file: where its counts go, or None.

    Raises:
        OutputError: if something cannot be written; the message says how to go on.
        typer.Exit: with the exit code, if it is another one than 0.
    """
    output = targets.output
    if STDIN in targets.inputs and sys.stdin.isatty():
        say("reading standard input; end it with Ctrl-D.")
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
                    report(result, verbose and not quiet, quiet)
                    if result.output is not None:
                        emit(result.output)
                if step.rows is not None:
                    emit(step.rows)
    except OutputError as error:
        again = "; once that is mended, the same command with --resume goes on" if run.can_resume else ""
        raise OutputError(f"{str(error).removesuffix('.')}{again}.") from error
    finally:
        if summary_file is not None:
            write_atomically(summary_file, _summary_of(run, time.monotonic() - began))
    summary = run.summary
    for name in run.repeated[:_MOST_SAID]:
        say(f"{name}: more than one document has this name.")
    if len(run.repeated) > _MOST_SAID:
        say(f"... and {len(run.repeated) - _MOST_SAID} more such names.")
    if run.interrupted:
        say(f"interrupted after {summary.documents:,} documents; the same command with --resume goes on.")
        raise typer.Exit(EXIT_INTERRUPTED)
    if output is not None and not quiet:
        say(
            f"{summary.documents - summary.failed:,} of {summary.documents:,} documents cleaned into {output}; "
            f"{summary.kept:,} of {summary.lines:,} lines kept."
        )
        if summary.flagged:
            say(f"{summary.flagged:,} documents lost more of their words than --max-loss allows.")
    if summary.failed and summary.documents > 1:
        say(f"{summary.failed:,} of {summary.documents:,} documents failed; each is named above.")
    if summary.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _summary_of(run: Run, seconds: float) -> bytes:
    told = run.summary.to_json() | {
        "repeated_names": run.repeated,
        "interrupted": run.interrupted,
        "seconds": round(seconds, 3),
    }
    return json.dumps(told, indent=2, ensure_ascii=True).encode("ascii") + b"\n"


def report(result: Result, verbose: bool, quiet: bool) -> None:
    """Say what there is to say of a document."""
    if result.error is not None:
        say(f"error: {result.id}: {result.error}")
        return
    if not quiet:
        for note in result.notes:
            say(f"{result.id}: {note}")
    if verbose:
        say(f"{result.id}: {result.kept} of {result.lines} lines kept.")


def learned(
    targets: Targets, job: Job, jobs: int, least: int, limit: int | None, summary: Summary, quiet: bool
) -> Profile:
    """Learn what sites repeat and say how it goes; `summary` takes in the counts."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        bar = progress.add_task("learning", total=None)
        for step in learn(targets, job, jobs=jobs, least=least, limit=limit):
            if isinstance(step, Profile):
                return step
            summary.add(step)
            for id, error in step.failures:
                say(f"error: {id}: {error}")
            progress.update(bar, description=f"{summary.documents:,} documents")
    raise AssertionError("learning ends with a profile")


def emit(data: bytes) -> None:
    """Print data.

    Raises:
        typer.Exit: if nobody takes it.
    """
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # what is still in the buffer would fail once more on exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # then whoever read the output has seen enough
            say(f"error: standard output cannot be written: {error.strerror}.")
        raise typer.Exit(EXIT_SOME_FAILED) from None


def say(message: str) -> None:
    """Tell the user something that is not data."""
    typer.echo(message.encode("utf-8", "replace").decode("utf-8"), err=True)

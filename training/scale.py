"""A long run measured: `python -m training.scale --documents 1000000`.

Documents are made of the labelled pages: their lines, some at a time, from a place that chance chooses; one in a
thousand is written as HTML, so that a run of any length loads both models. The run goes through the command, once with
one process and once with two; memory is that of all its processes together, looked at ten times a second. Beside it,
datatrove's C4 filter reads, filters and writes the same file in one process, without its count of sentences, which
needs another library and is slower by far.
"""

from __future__ import annotations

import filecmp
import html
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import psutil
import typer

from training.corpora import CORPORA, read_pages

_SEED = 5
_LINES = (8, 40)
_HTML_EVERY = 1000
_C4_DOCUMENTS = 20_000


def made(corpora: Path, count: int) -> Iterator[bytes]:
    """So many rows, as JSON lines."""
    pages = [page for folder in sorted((corpora / "labelled-pages").glob("*")) for page in read_pages(folder)]
    lines = [(page.host, page.lines) for page in pages]
    chance = random.Random(_SEED)
    for number in range(count):
        host, some = chance.choice(lines)
        at = chance.randrange(len(some))
        taken = some[at : at + chance.randint(*_LINES)]
        text = "\n".join(taken)
        if number % _HTML_EVERY == 0:
            paragraphs = "".join(f"<p>{html.escape(line)}</p>\n" for line in taken)
            text = f"<!DOCTYPE html>\n<html><body>\n{paragraphs}</body></html>\n"
        yield json.dumps({"id": number, "url": f"https://{host}/{number}", "text": text}).encode() + b"\n"


def run(arguments: list[str]) -> tuple[float, float]:
    """Run a command: seconds on the clock, and megabytes of all its processes at their most."""
    began, most = time.monotonic(), 0
    process = psutil.Popen([sys.executable, *arguments], stderr=subprocess.DEVNULL)
    while process.poll() is None:
        used = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                used += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        most = max(most, used)
        time.sleep(0.1)
    if process.returncode:
        raise typer.Exit(process.returncode)
    return time.monotonic() - began, most / 1e6


_C4 = """
import sys
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.filters import C4QualityFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
source, target, logs, limit = sys.argv[1:]
LocalPipelineExecutor(
    [JsonlReader(source, glob_pattern="in.jsonl", limit=int(limit)), C4QualityFilter(min_num_sentences=-1),
     JsonlWriter(target, compression=None)],
    logging_dir=logs,
).run()
"""


def main(
    documents: Annotated[int, typer.Option(min=1, help="How many documents.")] = 1_000_000,
    corpora: Annotated[Path, typer.Option(help="The folder with the pages.")] = CORPORA,
    folder: Annotated[Path | None, typer.Option(help="Where to work; by default a place for temporary files.")] = None,
) -> None:
    """Print speed and memory of runs over a made corpus."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="cleaner-scale-") as name:
        place = Path(name)
        with (place / "in.jsonl").open("wb") as file:
            file.writelines(made(corpora, documents))
        size = (place / "in.jsonl").stat().st_size / 1e6
        typer.echo(f"{documents:,} documents, {size:,.0f} MB of JSON lines")
        seconds = {}
        for jobs in ("1", "2"):
            output = str(place / f"out{jobs}.jsonl")
            seconds[jobs], memory = run(
                ["-m", "cleaner.cli", "clean", str(place / "in.jsonl"), "-o", output, "--jobs", jobs, "--quiet"]
            )
            typer.echo(
                f"--jobs {jobs}: {seconds[jobs]:,.0f} s, {size / seconds[jobs]:.2f} MB/s, {memory:,.0f} MB of memory"
            )
        same = filecmp.cmp(place / "out1.jsonl", place / "out2.jsonl", shallow=False)
        typer.echo(f"two processes are {seconds['1'] / seconds['2']:.2f} times as fast; the same output: {same}")
        some = min(documents, _C4_DOCUMENTS)
        arguments = ["-c", _C4, str(place), str(place / "c4"), str(place / "logs"), str(some)]
        took, _ = run(arguments)
        typer.echo(f"datatrove's C4 filter: {some * size / documents / took:.2f} MB/s (the first {some:,} documents)")


if __name__ == "__main__":
    typer.run(main)

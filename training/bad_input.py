"""What the library makes of input that breaks others, with time and memory: `python -m training.bad_input`.

Each case runs in a process of its own. None may crash, run for more than a minute of processor time, or come back
empty without a word.
"""

from __future__ import annotations

import gzip
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Annotated

import typer

from cleaner import Cleaner, CleanerError

_SEED = 2026
_SECONDS = 60.0
_SENTENCE = b"<p>The ferry sailed again on Monday, and the whole town came down to the harbour to see it leave.</p>\n"
_CARD = b'<div class="card"><a href="/a"><img src="a.png"><h3>A headline</h3></a><a href="/b">Read more</a></div>\n'
_MEGABYTE = 1_000_000


def _page(body: bytes) -> bytes:
    return b"<!doctype html><html><body>" + body + b"</body></html>"


def _nested(depth: int) -> bytes:
    return _page(b"<div>" * depth + _SENTENCE + b"</div>" * depth)


CASES: dict[str, Callable[[], bytes | str]] = {
    "empty": lambda: b"",
    "random bytes": lambda: random.Random(_SEED).randbytes(_MEGABYTE),
    "invalid UTF-8": lambda: _page(_SENTENCE.replace(b"ferry", b"caf\xe9 \xff") * 50),
    "NULs": lambda: _page(_SENTENCE.replace(b" ", b"\x00 ") * 50),
    "a lone surrogate": lambda: _page(_SENTENCE).decode().replace("ferry", "\ud800"),
    "divs nested 300 deep": lambda: _nested(300),
    "divs nested 100,000 deep": lambda: _nested(100_000),
    "10 MB in one <p>": lambda: _page(b"<p>" + b"The ferry sailed again on Monday. " * (10 * _MEGABYTE // 34)),
    "50 MB of paragraphs": lambda: _page(_SENTENCE * (50 * _MEGABYTE // len(_SENTENCE))),
    "50 MB of link cards": lambda: _page(_CARD * (50 * _MEGABYTE // len(_CARD))),
    "a gzip file": lambda: gzip.compress(_page(_SENTENCE)),
    "an image": lambda: b"\x89PNG\r\n\x1a\n" + random.Random(_SEED).randbytes(5000),
    "a charset that lies": lambda: b'<meta charset="iso-8859-1">' + "<p>Grüße über die Straße.</p>".encode(),
}


def run(name: str) -> str:
    """One case in this process: processor seconds, peak memory, what came back."""
    cleaner = Cleaner()
    page = CASES[name]()
    before = time.process_time()
    try:
        document = cleaner.label_html(page)
        kept = sum(document.is_kept(line) for line in document.lines)
        said = f"{kept:,} of {len(document.lines):,} lines kept. " + " ".join(document.notes)
        if not document.lines and not document.notes:
            said = "EMPTY WITHOUT A WORD"
    except CleanerError as error:
        said = f"{type(error).__name__}: {error}"
    seconds = time.process_time() - before
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{seconds:7.1f} s {megabytes:7,.0f} MB  {said}{'  TOO SLOW' * (seconds > _SECONDS)}"


def main(case: Annotated[str | None, typer.Option(help="One case, by name; default: all.")] = None) -> None:
    """Print the table; exit code 1 if a case crashed, took too long, or came back empty without a word."""
    failed = False
    for name in [case] if case else CASES:
        command = "import sys; from training.bad_input import run; print(run(sys.argv[1]))"
        result = subprocess.run([sys.executable, "-c", command, name], capture_output=True, text=True, check=False)
        row = result.stdout.strip("\n") if result.returncode == 0 else f"CRASHED: {result.stderr.strip()[-200:]}"
        failed |= any(word in row for word in ("CRASHED", "TOO SLOW", "EMPTY WITHOUT"))
        typer.echo(f"{name:26}{row}")
    if failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)

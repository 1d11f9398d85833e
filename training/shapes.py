"""The labelled pages in other shapes: `python -m training.shapes`.

Each page is written down anew: wrapped at a column, with blank lines between its paragraphs, wrapped and with blank
lines, in one line, with its longer lines broken at places that chance chooses, in Markdown. Each is cleaned by the
model that saw no page of its host, and the words that are left are compared with the body that readers marked.
"""

from __future__ import annotations

import random
import re
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Annotated

import typer

from cleaner import Cleaner, Config, Label
from training.corpora import CORPORA, Page, read_pages
from training.evaluate import Judges
from training.lines import Settings
from training.measures import word_f1, words

_CONFIG = Config(keep=[Label.BODY])
_LINK = re.compile(r"\[([^\]\n]+)\]\([^)]*\)")


def _wrap(line: str, columns: int) -> str:
    return "\n".join(textwrap.wrap(line, columns, break_on_hyphens=False) or [line])


def _broken(page: Page) -> str:
    chance = random.Random(page.name)
    rows = []
    for line in page.lines:
        some = line.split()
        while len(some) > 8:
            count = chance.choice((1, 2, 3, 8, 12, 20, 30))
            rows.append(" ".join(some[:count]))
            some = some[count:]
        rows.append(" ".join(some))
    return "\n".join(row for row in rows if row)


def _markdown(page: Page) -> str:
    chance = random.Random(page.name)
    rows = []
    for line, label in zip(page.lines, page.labels, strict=True):
        some = line.split()
        if label is Label.TITLE:
            line = f"# {line}"
        elif label in (Label.NAVIGATION, Label.RECOMMENDED, Label.SHARE):
            line = f"* [{line}](https://example.com/{chance.randrange(10_000)})"
        elif len(some) > 10:
            at = chance.randrange(len(some) - 6)
            some[at] = f"**{some[at]}**"
            some[at + 5] = f"[{some[at + 5]}](https://example.com/x)"
            line = " ".join(some)
        rows.append(line)
    return "\n".join(rows)


SHAPES: dict[str, Callable[[Page], str]] = {
    "as it is": lambda page: "\n".join(page.lines),
    "wrapped at 80": lambda page: "\n".join(_wrap(line, 80) for line in page.lines),
    "blank lines": lambda page: "\n\n".join(page.lines),
    "wrapped, blank lines": lambda page: "\n\n".join(_wrap(line, 72) for line in page.lines),
    "broken sentences": _broken,
    "Markdown": _markdown,
    "one line": lambda page: " ".join(page.lines),
}


def _body(page: Page) -> Counter[str]:
    lines = [line for line, label in zip(page.lines, page.labels, strict=True) if label is Label.BODY]
    return words([*lines, *page.remains.values()])


def _plain(text: str) -> str:
    return _LINK.sub(r"\1", text).replace("**", "")


def main(
    corpora: Annotated[Path, typer.Option(help="The folder with the pages.")] = CORPORA,
) -> None:
    """Print the body word F1 of each shape, and that of keeping everything."""
    pages = [page for folder in sorted((corpora / "labelled-pages").glob("*")) for page in read_pages(folder)]
    ours: dict[str, list[float]] = {name: [] for name in SHAPES}
    everything: dict[str, list[float]] = {name: [] for name in SHAPES}
    for model, held in Judges(corpora, Settings()).split(pages):
        cleaner = Cleaner(model=model, config=_CONFIG)
        told = [(page, gold) for page in held if (gold := _body(page))]
        for name, write in SHAPES.items():
            texts = [write(page) for page, _ in told]
            for (_, gold), text, clean in zip(told, texts, cleaner.clean_many(texts), strict=True):
                ours[name].append(word_f1(gold, words([_plain(clean)])))
                everything[name].append(word_f1(gold, words([_plain(text)])))
    typer.echo(f"{'shape':24}{'word F1':>9}{'keep everything':>18}")
    for name in SHAPES:
        typer.echo(f"{name:24}{mean(ours[name]):9.3f}{mean(everything[name]):18.3f}")


if __name__ == "__main__":
    typer.run(main)

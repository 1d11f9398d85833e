"""What a change made worse, line by line and page by page: `python -m training.diff OLD NEW`.

OLD and NEW are files that `training.evaluate --pages FOLDER --save FILE` wrote before and after the change.
Totals hide which lines pay for a gain; this lists them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cleaner.records import Label
from training.measures import Judged

_SHOWN = 90


def save_labels(path: Path, judged: Sequence[Judged]) -> None:
    """Write what was said of each line: a JSON object a page, without its text."""
    with path.open("w", encoding="utf-8") as out:
        for one in judged:
            row = {
                "corpus": one.page.corpus,
                "page": one.page.name,
                "gold": [label.value if label else None for label in one.page.labels],
                "found": [line.label.value for line in one.document.lines],
                "kept": [one.document.is_kept(line) for line in one.document.lines],
                "score": [line.score for line in one.document.lines],
                "words": [len(line.text.split()) for line in one.document.lines],
            }
            out.write(json.dumps(row) + "\n")


def read_labels(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The pages of a file of `save_labels`, by corpus and name."""
    rows = (json.loads(row) for row in path.read_text(encoding="utf-8").splitlines())
    return {(row["corpus"], row["page"]): row for row in rows}


def compare(old: dict[tuple[str, str], dict[str, Any]], new: dict[tuple[str, str], dict[str, Any]], most: int) -> str:
    """The lines whose fate turned wrong, and the pages that lost most words by it.

    Raises:
        ValueError: if the two have no page in common.
    """
    common = sorted(old.keys() & new.keys())
    if not common:
        raise ValueError("the two files have no page in common: nothing was compared.")
    worse: list[tuple[int, str]] = []
    pages: Counter[tuple[str, str]] = Counter()
    turned: Counter[str] = Counter()
    relabelled: Counter[tuple[str, str, str]] = Counter()
    for key in common:
        before, after = old[key], new[key]
        for number, gold in enumerate(before["gold"], start=1):
            at = number - 1
            if gold is None:
                continue
            should = gold in (Label.BODY, Label.TITLE)
            was, now = before["kept"][at] == should, after["kept"][at] == should
            if was != now:
                what = "lost" if should else "kept"
                turned[f"{'now' if was else 'no longer'} wrongly {what}"] += 1
                pages[key] += before["words"][at] * (1 if was else -1)
                if was:
                    scores = f"{before['score'][at]:.2f} -> {after['score'][at]:.2f}"
                    row = f"{key[0]}/{key[1]} line {number}: {gold} now {what}, {after['found'][at]} ({scores})"
                    worse.append((before["words"][at], row))
            if before["found"][at] == gold != after["found"][at]:
                relabelled[gold, before["found"][at], after["found"][at]] += 1
    rows = [f"{len(common):,} pages compared", *(f"{name}: {count:,} lines" for name, count in sorted(turned.items()))]
    rows += ["", "lines made worse, longest first"]
    rows += [f"  {words:4} words  {row}"[: _SHOWN + 60] for words, row in sorted(worse, reverse=True)[:most]]
    rows += ["", "pages made worse, by words"]
    rows += [f"  {words:5}  {corpus}/{page}" for (corpus, page), words in pages.most_common(most) if words > 0]
    rows += ["", "labels that were right and are not"]
    rows += [f"  {count:5}  {gold} now {now}" for (gold, _, now), count in relabelled.most_common(most)]
    return "\n".join(rows)


def main(
    old: Annotated[Path, typer.Argument(help="Labels saved before the change.")],
    new: Annotated[Path, typer.Argument(help="Labels saved after it.")],
    most: Annotated[int, typer.Option(help="How many of each to list.")] = 40,
) -> None:
    """List what a change made worse."""
    try:
        typer.echo(compare(read_labels(old), read_labels(new), most))
    except ValueError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)

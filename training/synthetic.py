"""Pages that no crawl holds enough of: leftovers of extractors, and clean bodies with boilerplate put in.

The labelled pages are full dumps. What an extractor leaves is mostly body with a few stray lines between, so
each page also yields thinned copies, into which lines of *other* pages are put: alone in mid-body, in blocks,
and after the end. Only text of the pages given is used, so a fold's synthetic pages hold that fold's pages only.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from cleaner.records import Label
from training.corpora import Page

#: What may be put into a body, and how often relative to each other.
_INSERTED = {
    Label.SUBSCRIPTION: 5,
    Label.RECOMMENDED: 5,
    Label.ADVERT: 3,
    Label.SHARE: 2,
    Label.LEGAL: 1,
    Label.CAPTION: 1,
}
_LEFT_OVER = (Label.BODY, Label.TITLE, Label.BYLINE, Label.CAPTION)
#: The corpus that synthetic pages say they are of.
SYNTHETIC = "synthetic"
_LONGEST_BLOCK = 20
_SHARE_WITH_INSERTS = 0.7
_FEWEST_BODY_LINES = 4

Labelled = tuple[str, Label | None]


def synthetic_pages(pages: Sequence[Page], copies: int, seed: int) -> list[Page]:
    """Thinned pages with inserts.

    Args:
        pages: real labelled pages.
        copies: how many to make of each page that has enough body.
        seed: of the generator.
    """
    rng = random.Random(seed)
    blocks = {
        language: _blocks([page for page in pages if page.language == language])
        for language in sorted({page.language for page in pages})
    }
    made = []
    for copy in range(copies):
        for page in pages:
            lines = _thinned(page, rng)
            if sum(label is Label.BODY for _, label in lines) < _FEWEST_BODY_LINES:
                continue
            if blocks[page.language] and rng.random() < _SHARE_WITH_INSERTS:
                lines = _with_inserts(lines, blocks[page.language], rng)
            made.append(
                replace(
                    page,
                    name=f"{page.name}+{copy}",
                    corpus=SYNTHETIC,
                    text="\n".join(text for text, _ in lines),
                    labels=tuple(label for _, label in lines),
                    remains={},
                    cuts={},
                )
            )
    return made


def origin_of(page: Page) -> tuple[str, str]:
    """What a page and the synthetic pages made of it have in common."""
    return page.host, page.name.rsplit("+", 1)[0] if page.corpus == SYNTHETIC else page.name


def _blocks(pages: Sequence[Page]) -> dict[Label, list[list[str]]]:
    """Runs of lines of one insertable label, as they stand on the pages."""
    blocks: dict[Label, list[list[str]]] = {}
    for page in pages:
        for label, run in groupby(zip(page.lines, page.labels, strict=True), key=lambda pair: pair[1]):
            if label in _INSERTED:
                blocks.setdefault(label, []).append([text for text, _ in run][:_LONGEST_BLOCK])
    return blocks


def _thinned(page: Page, rng: random.Random) -> list[Labelled]:
    """What an extractor might leave: the stretch of the body, the other runs in it kept or lost at random."""
    lines = list(zip(page.lines, page.labels, strict=True))
    body = [i for i, (_, label) in enumerate(lines) if label is Label.BODY]
    if not body:
        return []
    survival = rng.choice((0.0, 0.0, 0.1, 0.4))
    before = [line for line in lines[: body[0]] if line[1] is Label.TITLE and rng.random() < 0.7]
    inside = lines[body[0] : body[-1] + 1]
    after = lines[body[-1] + 1 :][: rng.choice((0, 0, 3, 10))]
    kept: list[Labelled] = before
    for label, run in groupby([*inside, *after], key=lambda pair: pair[1]):
        if label is Label.BODY or rng.random() < (0.8 if label in _LEFT_OVER else survival):
            kept += list(run)
    return [line for line in kept if line[1] is not None]


def _with_inserts(lines: list[Labelled], blocks: dict[Label, list[list[str]]], rng: random.Random) -> list[Labelled]:
    labels = [label for label in _INSERTED if label in blocks]
    weights = [_INSERTED[label] for label in labels]
    result = list(lines)
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        label = rng.choices(labels, weights)[0]
        block = rng.choice(blocks[label])
        if rng.random() < 0.6:  # a line on its own, or a few
            at = rng.randrange(len(block))
            block = block[at : at + rng.choice((1, 1, 1, 2, 4))]
        place = len(result) if rng.random() < 0.3 else rng.randrange(1, len(result) + 1)
        result[place:place] = [(text, label) for text in block]
    if rng.random() < 0.3:  # the same bare marker or teaser again and again
        label = rng.choice([label for label in labels if label in (Label.ADVERT, Label.RECOMMENDED)] or labels)
        text = min(rng.choice(blocks[label]), key=len)
        for _ in range(rng.choice((2, 3, 5))):
            result.insert(rng.randrange(1, len(result) + 1), (text, label))
    return result

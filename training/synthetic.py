"""Pages that no crawl holds enough of: leftovers of extractors, and clean bodies with boilerplate put in.

The labelled pages are full dumps. What an extractor leaves is mostly body with a few stray lines between, so each
page also yields thinned copies, and each article copies of nothing but its body. Lines of *other* pages are put into
both: alone in mid-body, in blocks, at the end, as headline-like teasers. Some get none, for a clean page must stay
whole, and a stretch of the body is written in lines as short as those of verse, dialogue or notes: a short line is not
boilerplate for its shortness. Only text of the pages given is used, so a fold's synthetic pages hold that fold's pages
only.
"""

from __future__ import annotations

import random
import re
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
}
_LEFT_OVER = (Label.BODY, Label.TITLE, Label.BYLINE, Label.CAPTION)
#: The corpus that synthetic pages say they are of.
SYNTHETIC = "synthetic"
_LONGEST_BLOCK = 20
_SHARE_WITH_INSERTS = 0.7
_SHARE_CLEAN = 0.4
#: How a line was put in: alone between two lines of the body, in a block there, after the end, or as a lone
#: headline of another text.
ALONE, BLOCK, END, TEASER = "alone", "block", "end", "teaser"
#: What a line of a synthetic page weighs beside the page's own, by how it was put in.
INSERT_WEIGHTS = {"": 1.0, ALONE: 1.2, BLOCK: 1.2, END: 1.2, TEASER: 2.0}
_FEWEST_BODY_LINES = 4
_SHARE_IN_SHORT_LINES = 0.6
#: The words of a short line, more or less; without any it ends where a clause does.
_SHORT_LINES = (3, 6, 9, None)
_CLAUSE_END = re.compile(r"(?<=[.!?,;:]) ")
#: How many lines of an article written in short lines are taken.
_STRETCHES = (8, 15, 30, 60)

Labelled = tuple[str, Label | None]


def synthetic_pages(pages: Sequence[Page], copies: int, seed: int) -> list[Page]:
    """Thinned and clean pages, most with inserts, and stretches of articles in short lines.

    Args:
        pages: real labelled pages.
        copies: how many to make of each page that has enough body.
        seed: of the generator.
    """
    rng = random.Random(seed)
    blocks = _blocks_by_language(pages)
    made = []
    for copy in range(copies):
        for page in pages:
            clean = is_article(page) and rng.random() < _SHARE_CLEAN
            lines = _clean(page, rng) if clean else _thinned(page, rng)
            if sum(label is Label.BODY for _, label in lines) < _FEWEST_BODY_LINES:
                continue
            inserted = [""] * len(lines)
            if blocks[page.language] and rng.random() < _SHARE_WITH_INSERTS:
                put = _with_inserts(lines, blocks[page.language], rng)
                lines, inserted = [line for line, _ in put], [how for _, how in put]
            made.append(_page_of(page, f"{page.name}+{copy}", lines, inserted))
    for page in pages:
        if is_article(page) and rng.random() < _SHARE_IN_SHORT_LINES:
            lines = _in_short_lines(_clean(page, rng), rng)
            if len(lines) >= _FEWEST_BODY_LINES:
                made.append(_page_of(page, f"{page.name}+short", lines, [""] * len(lines)))
    return made


def with_inserts(pages: Sequence[Page], seed: int) -> list[Page]:
    """Clean articles with inserts, one of each page that has enough body, to measure removal on.

    Args:
        pages: real labelled pages; those that are no articles are left out.
        seed: of the generator.
    """
    rng = random.Random(seed)
    blocks = _blocks_by_language(pages)
    made = []
    for page in pages:
        lines = _clean(page, rng)
        if is_article(page) and blocks[page.language] and len(lines) >= _FEWEST_BODY_LINES:
            put = _with_inserts(lines, blocks[page.language], rng)
            made.append(_page_of(page, f"{page.name}+", [line for line, _ in put], [how for _, how in put]))
    return made


def is_article(page: Page) -> bool:
    """Whether a page is an article: WCXB says so, or it is of a corpus of nothing else."""
    return page.kind == "article" or page.corpus in ("news", "multilingual")


def _page_of(page: Page, name: str, lines: Sequence[Labelled], inserted: Sequence[str]) -> Page:
    return replace(
        page,
        name=name,
        corpus=SYNTHETIC,
        text="\n".join(text for text, _ in lines),
        labels=tuple(label for _, label in lines),
        remains={},
        cuts={},
        content=None,
        # what is put into a clean body nobody wants; of titles WCXB's judges are of two minds
        in_content=tuple(None if label is Label.TITLE else label is Label.BODY for _, label in lines),
        paths=(),
        inserted=tuple(inserted),
    )


def origin_of(page: Page) -> tuple[str, str]:
    """What a page and the synthetic pages made of it have in common."""
    return page.host, page.name.rsplit("+", 1)[0] if page.corpus == SYNTHETIC else page.name


def _blocks_by_language(pages: Sequence[Page]) -> dict[str, dict[Label, list[list[str]]]]:
    return {
        language: _blocks([page for page in pages if page.language == language])
        for language in sorted({page.language for page in pages})
    }


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


def _clean(page: Page, rng: random.Random) -> list[Labelled]:
    """Nothing but what an author wrote: headline and body."""
    with_title = rng.random() < 0.7
    kept = (Label.BODY, Label.TITLE) if with_title else (Label.BODY,)
    return [line for line in zip(page.lines, page.labels, strict=True) if line[1] in kept]


def _in_short_lines(lines: Sequence[Labelled], rng: random.Random) -> list[Labelled]:
    """A stretch of a clean page, its body cut into lines of a few words each."""
    words = rng.choice(_SHORT_LINES)
    cut: list[Labelled] = []
    for text, label in lines:
        parts = _cut_short(text, words, rng) if label is Label.BODY else [text]
        cut += [(part, label) for part in parts if part.strip()]
    stretch = rng.choice(_STRETCHES)
    start = rng.randrange(len(cut) - stretch) if len(cut) > stretch and rng.random() < 0.8 else 0
    return cut[start : start + stretch]


def _cut_short(text: str, words: int | None, rng: random.Random) -> list[str]:
    """A line as several, each of so many words, two fewer or up to three more; or one for each clause."""
    if words is None:
        return _CLAUSE_END.split(text)
    rest, parts = text.split(), []
    while rest:
        size = rng.randrange(words - 2, words + 4)
        parts.append(" ".join(rest[:size]))
        rest = rest[size:]
    return parts


def _with_inserts(
    lines: Sequence[Labelled], blocks: dict[Label, list[list[str]]], rng: random.Random
) -> list[tuple[Labelled, str]]:
    """The lines with others put between, each with how it came there; "" for its own."""
    labels = [label for label in _INSERTED if label in blocks]
    weights = [_INSERTED[label] for label in labels]
    result = [(line, "") for line in lines]
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        label = rng.choices(labels, weights)[0]
        block = rng.choice(blocks[label])
        how = rng.choices((ALONE, BLOCK, END, TEASER), (4, 3, 3, 2))[0]
        if how == TEASER:
            teasers = [line for line in rng.choice(blocks.get(Label.RECOMMENDED) or blocks[label]) if _is_teaser(line)]
            label, block = (Label.RECOMMENDED, teasers[:1]) if teasers else (label, block[:1])
            how = TEASER if teasers and Label.RECOMMENDED in blocks else ALONE
        elif how == ALONE:  # what stands alone on the page it is from, where there is such a line
            block = rng.choice([run for run in blocks[label] if len(run) == 1] or [block[:1]])
        place = len(result) if how == END else rng.randrange(1, len(result) + 1)
        result[place:place] = [((text, label), how) for text in block]
    if rng.random() < 0.3:  # the same bare marker or teaser again and again
        label = rng.choice([label for label in labels if label in (Label.ADVERT, Label.RECOMMENDED)] or labels)
        text = min(rng.choice(blocks[label]), key=len)
        for _ in range(rng.choice((2, 3, 5))):
            result.insert(rng.randrange(1, len(result) + 1), ((text, label), ALONE))
    return result


def _is_teaser(line: str) -> bool:
    """Whether a line has the look of a headline: some words, no full stop."""
    return 4 <= len(line.split()) <= 20 and line[-1] not in ".:;,"

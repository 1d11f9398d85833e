"""Documents that are worked on together: how they are grouped, and what is read off a group once it is decided."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cleaner.decide import LABELS, Decisions
from cleaner.errors import InputError
from cleaner.evidence.compact import CompactLines
from cleaner.evidence.heuristics import Verdict, verdict
from cleaner.evidence.repeats import Origin, line_keys, site_of
from cleaner.records import Cut, Label, Shape
from cleaner.segment.decode import Decoded, decode_html
from cleaner.segment.html import Page, read_html
from cleaner.segment.plain import LineTable
from cleaner.segment.shapes import View

#: Documents are worked on together until they hold this many characters: enough to drown the cost of a
#: numpy call, little enough to stay in a processor's cache and to bound memory.
_BATCH_CHARACTERS = 500_000
#: An element of a page of HTML takes as much memory as so many characters.
_ELEMENT_CHARACTERS = 20


@dataclass(frozen=True, slots=True)
class Outline:
    """A clean text, and what was kept and taken out for it.

    Attributes:
        text: the clean text.
        whole: the text that it is taken from; of a page of HTML, the text that was read from it.
        labels: how many lines carry each label, in the order of `Label`.
        words: how many words the whole text has.
        kept_words: how many of them stand in kept lines.
        lines: where asked for, start, end, label and score of each line; offsets count in the whole text.
        notes: what the reader of the result should know.
    """

    text: str
    whole: str
    labels: tuple[int, ...]
    words: int
    kept_words: int
    lines: tuple[tuple[int, int, Label, float], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """The lines of a document as a site profile counts them.

    Attributes:
        key: uint64 [lines], equal for lines that count as the same.
        label: int8 [lines], index into `Label`.
        score: float64 [lines].
    """

    key: NDArray[np.uint64]
    label: NDArray[np.int8]
    score: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A group of documents that has been decided."""

    texts: list[str]
    lines: LineTable
    compacted: CompactLines
    words: NDArray[np.int64]
    kept_words: NDArray[np.int64]
    decisions: Decisions
    cuts: list[dict[int, tuple[Cut, ...]]]  # for each document, by the line's place in it
    shapes: list[Shape]


@dataclass(frozen=True, slots=True, eq=False)
class ReadPage:
    """A page of HTML that has been read."""

    page: Page
    origin: Origin
    verdict: Verdict | None
    encoding: str | None
    notes: tuple[str, ...]


def on_lines(batch: Batch, texts: list[str], lines: LineTable, views: list[View | None]) -> Batch:
    """What was decided on logical lines, told of the lines that the documents have."""
    unit = np.arange(len(lines))
    words, kept_words = np.zeros((2, len(lines)), dtype=np.int64)
    cuts = list(batch.cuts)
    for k, view in enumerate(views):
        here = slice(int(lines.first[k]), int(lines.first[k + 1]))
        first = int(batch.lines.first[k])
        if view is None:
            unit[here] = first + np.arange(here.stop - here.start)
            words[here], kept_words[here] = batch.words[unit[here]], batch.kept_words[unit[here]]
        elif view.unit:
            unit[here] = first + np.array(view.unit)
            spans = zip(lines.char_start[here].tolist(), lines.char_end[here].tolist(), strict=True)
            words[here] = [len(texts[k][start:end].split()) for start, end in spans]
            kept_words[here] = words[here] * batch.decisions.kept[unit[here]]
            cuts[k] = {}
        else:
            cuts[k] = {}
            line, start, end = np.array(view.spans, dtype=np.int64).reshape(-1, 3).T
            for number in range(here.stop - here.start):
                mine = np.flatnonzero(line == number)
                units = first + mine
                kept = batch.decisions.kept[units]
                # the line is what most of its kept words are, or of all if none is kept
                size = batch.words[units] * kept if kept.any() else batch.words[units]
                unit[here.start + number] = units[size.argmax()]
                words[here.start + number] = batch.words[units].sum()
                kept_words[here.start + number] = batch.kept_words[units].sum()
                if kept.any():
                    cuts[k][number] = _cuts_between(batch.decisions, units, start[mine], end[mine])
    decisions = batch.decisions.take(unit)
    return Batch(texts, lines, batch.compacted, words, kept_words, decisions, cuts, batch.shapes)


def _cuts_between(
    decisions: Decisions, units: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[Cut, ...]:
    """The logical lines of a line that are not kept, those that follow each other with one label as one cut."""
    cuts: list[Cut] = []
    last = -1
    for place in np.flatnonzero(~decisions.kept[units]).tolist():
        label, unit = LABELS[decisions.label[units[place]]], int(units[place])
        # with the white space after it, or before it at the end, so that no word is glued to another
        until = int(start[place + 1]) if place + 1 < len(start) else int(end[place])
        if cuts and last == place - 1 and cuts[-1].label is label:
            cuts[-1] = replace(cuts[-1], end=until)
        else:
            cuts.append(Cut(int(start[place]), until, label, decisions.why(unit)))
        last = place
    return tuple(cuts)


def sightings_of(batch: Batch, k: int) -> Sightings:
    """One document of a batch as a site profile counts it."""
    a, b = batch.lines.first[k], batch.lines.first[k + 1]
    lines = CompactLines(
        batch.compacted.raw, batch.compacted.folded, batch.compacted.start[a:b], batch.compacted.end[a:b]
    )
    return Sightings(line_keys(lines), batch.decisions.label[a:b], batch.decisions.score[a:b])


def read_pages(
    pages: Iterable[tuple[str | bytes, str | None]], origins: Iterable[Origin] | None, *, run: bool
) -> Iterator[list[ReadPage]]:
    """Read pages in groups.

    Args:
        pages: each with its address or None.
        origins: where each is from; by default its host.
        run: whether trafilatura is asked.

    Raises:
        InputError: for a page that is neither str nor bytes.
    """
    group: list[ReadPage] = []
    size = 0
    known = None if origins is None else iter(origins)
    for html, url in pages:
        origin = Origin(site_of(url, "")) if known is None else next(known)
        if not isinstance(html, str | bytes):
            raise InputError(f"a page must be str or bytes, not {type(html).__name__}.")
        decoded = decode_html(html) if isinstance(html, bytes) else Decoded(html, "")
        page = read_html(decoded.text, url, keeps_tree=run)
        notes = [*decoded.notes, *page.notes]
        found = verdict(page) if run else None
        if found is not None and found.note is not None:
            notes.append(found.note)
            found = None
        group.append(
            ReadPage(replace(page, nodes=[], tree=None), origin, found, decoded.encoding or None, tuple(notes))
        )
        size += len(page.text) + _ELEMENT_CHARACTERS * len(page.elements.parent)
        if size >= _BATCH_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group


def grouped(texts: Iterable[str], origins: Iterable[Origin] | None) -> Iterator[tuple[list[str], list[Origin]]]:
    """Texts in groups, each with where it is from.

    Raises:
        InputError: for a text that is no str.
    """
    if isinstance(texts, str):
        raise InputError("many texts are wanted and one str was given; pass a list of texts, or use the call for one.")
    group: list[str] = []
    of_group: list[Origin] = []
    size = 0
    known = itertools.repeat(Origin()) if origins is None else iter(origins)
    for text in texts:
        if not isinstance(text, str):
            raise InputError(
                f"a text must be str, not {type(text).__name__}; decode bytes first, for instance with "
                "cleaner.segment.decode.decode, which finds the encoding."
            )
        group.append(text)
        of_group.append(next(known))
        size += len(text) + 1
        if size >= _BATCH_CHARACTERS:
            yield group, of_group
            group, of_group, size = [], [], 0
    if group:
        yield group, of_group

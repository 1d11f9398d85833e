"""The shapes that dumps come in, and the logical lines behind the lines of a file.

Some dumps are wrapped at a column, some have the whole page in one line, some break a sentence at every tag inside it,
some are written in Markdown. What a line is can be told of logical lines only: a paragraph, a heading, an entry of a
menu. A shape is recognised document by document, and each line of the file gets the label of the logical line that it
is a part of. Sentences that are broken into pieces are left as they are: the model has learned from such dumps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cleaner.records import Shape
from cleaner.segment.plain import LineTable, split


@dataclass(frozen=True, slots=True)
class View:
    """A document by its logical lines.

    Attributes:
        text: the logical lines, one after the other.
        unit: for each line of the document the number of the logical line that it is a part of; empty where a line
            holds several.
        spans: where a line holds several: for each logical line the number of its line, and where it stands in the
            document.
    """

    text: str
    unit: tuple[int, ...] = ()
    spans: tuple[tuple[int, int, int], ...] = ()


#: Columns that dumps are wrapped at, and how many lines it takes to see it.
_COLUMNS, _FEWEST_LINES = (36, 160), 8
#: Of the lines that have this share of the columns and do not end a paragraph, so many are full in a wrapped dump: the
#: first word of the next line would not have fitted.
_LONG, _FULL = 0.6, 0.5
#: In a dump whose page stands in one line that line has so many characters, and nearly all of the document.
_ONE_LINE, _NEARLY_ALL = 1200, 0.8
#: A dump with broken sentences has so many lines that begin in the middle of one, and such a share of them.
_BROKEN, _BROKEN_SHARE = 6, 0.08
#: A dump in Markdown has so many marks, and one for so many lines.
_MARKS, _LINES_A_MARK = 4, 25
#: Where paragraphs are set apart by blank lines, this share of the lines is.
_APART = 0.8

_LINE_FEED = 0x0A
_INSIDE_SENTENCE = np.zeros(256, dtype=bool)
_INSIDE_SENTENCE[list(b"abcdefghijklmnopqrstuvwxyz,.;:!?)]%")] = True
_MARKED = re.compile(r"^[ ]{0,3}#{1,6} |\]\([^)\s]+\)|\*\*[^*\s][^*\n]*\*\*", re.M)
_MARK_PAIRS = (b"](", b"**", b"# ")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_LEAD = re.compile(r"^[ ]{0,3}(?:#{1,6} +|> ?)")
#: Words, and sentences of languages that put no space after them.
_WORD = re.compile(r"[^\s。！？]+[。！？]*[”」』）]*|[。！？]+")
_WIDE_ENDS = ("。", "！", "？")
_OPENING, _CLOSING = "\"“‘'([«¿¡", "\"”’')]»"
_SENTENCE_ENDS = (".", "!", "?", "…")


def shapes_of(lines: LineTable, texts: Sequence[str]) -> list[Shape]:
    """The shape of each document of a batch.

    Args:
        lines: the batch.
        texts: the documents.
    """
    count = np.diff(lines.first)
    shapes = [Shape.LINES] * len(texts)
    length = lines.char_end - lines.char_start
    filled = np.flatnonzero(count)
    begin = lines.first[filled]
    longest, total = np.zeros_like(count), np.zeros_like(count)
    broken, apart = np.zeros_like(count), np.zeros_like(count)
    if len(filled):
        gap = np.append(lines.start[1:] - lines.end[:-1], 0)
        longest[filled], total[filled] = np.maximum.reduceat(length, begin), np.add.reduceat(length, begin)
        broken[filled] = np.add.reduceat(_INSIDE_SENTENCE[lines.buffer[lines.start]], begin, dtype=np.int64)
        is_blank = (gap > 2) | ((gap == 2) & (lines.buffer[np.minimum(lines.end, len(lines.buffer) - 1)] == _LINE_FEED))
        apart[filled] = np.add.reduceat(is_blank, begin, dtype=np.int64)
    one_line = (longest >= _ONE_LINE) & (longest >= _NEARLY_ALL * total)
    several = count >= _FEWEST_LINES
    narrow = several & (longest >= _COLUMNS[0]) & (longest <= _COLUMNS[1])
    if narrow.any():
        long = length >= _LONG * longest[lines.document]
        narrow[filled] &= np.add.reduceat(long, begin, dtype=np.int64) * 5 >= count[filled]
    for k in np.flatnonzero(several & (broken >= _BROKEN) & (broken >= _BROKEN_SHARE * count)).tolist():
        shapes[k] = Shape.FRAGMENTS
    for k in np.flatnonzero(several & (apart >= _APART * (count - 1)) & ~narrow).tolist():
        shapes[k] = Shape.PARAGRAPHS
    most = _most_marks(lines)
    for k in np.flatnonzero(several & (most >= _MARKS) & (most * _LINES_A_MARK >= count)).tolist():
        marks = len(_MARKED.findall(texts[k]))
        if marks >= _MARKS and marks * _LINES_A_MARK >= count[k]:
            shapes[k] = Shape.MARKDOWN
    for k in np.flatnonzero(narrow).tolist():
        if shapes[k] is not Shape.MARKDOWN and _wrapped(texts[k], *_spans(lines, k)) is not None:
            shapes[k] = Shape.WRAPPED
    for k in np.flatnonzero(one_line).tolist():
        shapes[k] = Shape.ONE_LINE
    return shapes


def _most_marks(lines: LineTable) -> NDArray[np.int64]:
    """How often each document has the two characters that none of Markdown's marks goes without: int64 [documents]."""
    this, following = lines.buffer[:-1], lines.buffer[1:]
    found = np.zeros(len(this), dtype=bool)
    for first, second in _MARK_PAIRS:
        found |= (this == first) & (following == second)
    line = np.searchsorted(lines.start, np.flatnonzero(found), side="right") - 1
    return np.bincount(lines.document[line], minlength=len(lines.first) - 1)


def view_of(text: str, shape: Shape, lines: LineTable, document: int) -> View | None:
    """A document by its logical lines; None if they are the lines that it has.

    Args:
        text: the document.
        shape: its shape.
        lines: the batch that it is in.
        document: its number there.
    """
    if shape not in (Shape.WRAPPED, Shape.MARKDOWN, Shape.ONE_LINE):
        return None
    starts, ends = _spans(lines, document)
    if shape is Shape.WRAPPED:
        joined = _wrapped(text, starts, ends) or []
        unit = np.cumsum([0, *(not goes_on for goes_on in joined)]).tolist()
        units: list[list[str]] = [[] for _ in range(unit[-1] + 1)]
        for number, start, end in zip(unit, starts, ends, strict=True):
            units[number].append(text[start:end].strip())
        return View("\n".join(map(" ".join, units)), tuple(unit))
    if shape is Shape.MARKDOWN:
        plain = [_without_marks(text[start:end]) for start, end in zip(starts, ends, strict=True)]
        return View("\n".join(plain), tuple(range(len(plain))))
    spans = tuple(
        (number, a, b)
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
        for a, b in _pieces(text, start, end)
    )
    return View("\n".join(text[a:b] for _, a, b in spans), (), spans)


def logical_text(text: str) -> str:
    """A document with a line for each of its logical lines."""
    lines = split([text])
    view = view_of(text, shapes_of(lines, [text])[0], lines, 0)
    return text if view is None else view.text


def _spans(lines: LineTable, document: int) -> tuple[list[int], list[int]]:
    a, b = lines.first[document], lines.first[document + 1]
    return lines.char_start[a:b].tolist(), lines.char_end[a:b].tolist()


def _wrapped(text: str, starts: Sequence[int], ends: Sequence[int]) -> list[bool] | None:
    """Whether each line but the last goes on in the next one; None if the dump is not wrapped."""
    rows = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    columns = max(map(len, rows))
    joined, long, full = [], 0, 0
    for (row, after), (end, start) in zip(pairwise(rows), zip(ends[:-1], starts[1:], strict=True), strict=True):
        goes_on = False
        if len(row) >= _LONG * columns and len(text[end:start].splitlines()) < 2:  # no blank line between
            goes_on = len(row) + 1 + len(after.split(None, 1)[0]) > columns
            long, full = long + 1, full + goes_on
        joined.append(goes_on)
    return joined if full >= _FEWEST_LINES // 2 and full >= _FULL * long else None


def _without_marks(line: str) -> str:
    """A line without Markdown's marks; never an empty one."""
    plain = _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", _LEAD.sub("", line))).strip()
    return plain or line


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the logical lines of a line stand; none is blank, and what is between them is white space.

    The line is cut after sentences, and between words that begin with a capital or a figure: menus are cut there, and
    if it was a name little is lost, as both pieces get the label of their surroundings.
    """
    begin = -1
    last: re.Match[str] | None = None
    for word in _WORD.finditer(text, start, end):
        if last is None:
            begin = word.start()
        elif _is_edge(last.group(), word.group()):
            yield begin, last.end()
            begin = word.start()
        last = word
    if last is not None:
        yield begin, last.end()


def _is_edge(word: str, after: str) -> bool:
    if word.rstrip("”」』）").endswith(_WIDE_ENDS):
        return True
    if not _is_capital(after.lstrip(_OPENING)):
        return False
    if word.rstrip(_CLOSING).endswith(_SENTENCE_ENDS):
        return True
    return _is_capital(word) and word[-1].isalnum()


def _is_capital(word: str) -> bool:
    first = word[:1]
    return first.isdigit() or (first.isalpha() and not first.islower())

"""Plain text becomes lines with offsets; nothing is lost and nothing is moved.

A line ends at every character that Python's `str.splitlines` breaks at. A line that holds nothing but
white space is not a line here: it belongs to what stands between two lines. All documents of a batch
share one byte buffer, so that everything after this step can run over the whole batch at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops

#: Bytes at which a line ends; the longer ones are UTF-8 for U+0085, U+2028 and U+2029.
_BREAK_BYTES = b"\n\r\x0b\x0c\x1c\x1d\x1e"
_BREAK_SEQUENCES = ("\x85".encode(), "\u2028".encode(), "\u2029".encode())
_BYTE_ORDER_MARK = "\ufeff".encode()

#: About how long a line is; it does not matter much.
_LINE_BYTES = 64

_IS_BREAK = np.zeros(256, dtype=bool)
_IS_BREAK[list(_BREAK_BYTES)] = True
#: A byte that is sure to belong to something visible: printable ASCII but the space.
_IS_VISIBLE = np.zeros(256, dtype=bool)
_IS_VISIBLE[0x21:0x7F] = True


@dataclass(frozen=True, slots=True, eq=False)
class LineTable:
    """The lines of a batch of documents, as arrays.

    Attributes:
        buffer: uint8, the UTF-8 text of all documents, one line feed before each and one at the end;
            lone surrogates are encoded as if they were characters (`surrogatepass`).
        start, end: int64 [lines], byte offsets of each line in `buffer`, without its line break.
        char_start, char_end: int64 [lines], the same in code points of the line's own document.
        document: int64 [lines], the index of the line's document.
        first: int64 [documents + 1]; the lines of document k are `first[k]` to `first[k + 1]`.
    """

    buffer: NDArray[np.uint8]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    char_start: NDArray[np.int64]
    char_end: NDArray[np.int64]
    document: NDArray[np.int64]
    first: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)


def split(texts: Sequence[str]) -> LineTable:
    """Find the lines of a batch of documents.

    Args:
        texts: the documents; any string will do, lone surrogates and NULs included.

    Returns:
        The table of their non-empty lines, in order.
    """
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    joined = b"\n".join([b"", *encoded, b""])
    buffer = np.frombuffer(joined, dtype=np.uint8)
    origin = np.cumsum([1, *(len(part) + 1 for part in encoded)], dtype=np.int64)

    if (fast := loops("text", len(buffer) // _LINE_BYTES)) is not None:
        (start, end, char_start, char_end, document), first = fast.split(buffer, origin)
        return LineTable(buffer, start, end, char_start, char_end, document, first)
    is_break = _IS_BREAK[buffer]
    for sequence in _BREAK_SEQUENCES:
        for at in _occurrences(joined, sequence):
            is_break[at : at + len(sequence)] = True
    for k in range(len(encoded)):
        if encoded[k].startswith(_BYTE_ORDER_MARK):
            is_break[origin[k] : origin[k] + len(_BYTE_ORDER_MARK)] = True

    breaks = np.flatnonzero(is_break)
    filled = np.flatnonzero(np.diff(breaks) > 1)
    start, end = breaks[filled] + 1, breaks[filled + 1]
    blank = _blank(joined, buffer, start, end)
    start, end = start[~blank], end[~blank]

    document = np.searchsorted(origin, start, side="right") - 1
    first = np.searchsorted(document, np.arange(len(encoded) + 1))
    ascii_only = all(len(text) == len(part) for text, part in zip(texts, encoded, strict=True))
    if ascii_only:
        char_start, char_end = start - origin[document], end - origin[document]
    else:
        # every byte but a UTF-8 continuation byte begins a code point
        count = np.cumsum((buffer & 0xC0) != 0x80, dtype=np.int64)
        base = count[origin - 1][document]
        char_start, char_end = count[start - 1] - base, count[end - 1] - base
    return LineTable(buffer, start, end, char_start, char_end, document, first)


def _occurrences(joined: bytes, sequence: bytes) -> list[int]:
    found = []
    at = joined.find(sequence)
    while at >= 0:
        found.append(at)
        at = joined.find(sequence, at + len(sequence))
    return found


def _blank(
    joined: bytes, buffer: NDArray[np.uint8], start: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which lines hold nothing but white space, as `str.isspace` has it."""
    if not len(start):
        return np.zeros(0, dtype=bool)
    blank: NDArray[np.bool_] = np.add.reduceat(_IS_VISIBLE[buffer], start, dtype=np.int64) == 0
    for i in np.flatnonzero(blank):
        blank[i] = joined[start[i] : end[i]].decode("utf-8", "surrogatepass").isspace()
    return blank

"""Lines found, folded and put together again, a byte at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from cleaner.compiled.jit import compiled

_LINE_FEED, _SPACE = 0x0A, 0x20


@compiled
def _is_white(buffer: Any, at: Any) -> Any:
    """Whether the character that begins at a place is white space, as `str.isspace` has it."""
    byte = buffer[at]
    if byte < 0x80:
        return 9 <= byte <= 13 or 28 <= byte <= 32
    if byte == 0xC2:
        return buffer[at + 1] in (0x85, 0xA0)
    if byte == 0xE1:
        return buffer[at + 1] == 0x9A and buffer[at + 2] == 0x80
    if byte == 0xE2:
        third = buffer[at + 2]
        if buffer[at + 1] == 0x80:
            return third <= 0x8A or third in (0xA8, 0xA9, 0xAF)
        return buffer[at + 1] == 0x81 and third == 0x9F
    return byte == 0xE3 and buffer[at + 1] == 0x80 and buffer[at + 2] == 0x80


@compiled
def _break_size(buffer: Any, at: Any) -> Any:
    """How many bytes the line break takes that begins at a place; 0 if none does."""
    byte = buffer[at]
    if byte < 0x80:
        return 1 if 10 <= byte <= 13 or 28 <= byte <= 30 else 0
    if byte == 0xC2:
        return 2 if buffer[at + 1] == 0x85 else 0
    if byte == 0xE2:
        return 3 if buffer[at + 1] == 0x80 and buffer[at + 2] in (0xA8, 0xA9) else 0
    return 0


@compiled
def split(buffer: Any, origin: Any) -> Any:
    """The lines of a batch, as `cleaner.segment.plain.split` has them.

    Args:
        buffer: uint8, the UTF-8 text of all documents, a line feed before each and one at the end.
        origin: int64 [documents + 1], where each begins, and one past the last line feed.

    Returns:
        int64 [5, lines]: start and end in bytes, the same in code points of the document, the document; and int64
        [documents + 1], each one's first line.
    """
    documents, bytes_ = len(origin) - 1, len(buffer)
    # every place where something else stands than a printable ASCII character; there is no branch to guess wrong
    special = np.empty(bytes_ + 1, dtype=np.int64)
    specials = 0
    for at in range(bytes_):
        special[specials] = at
        specials += not 0x20 <= buffer[at] < 0x7F
    # a line's end is special, and so is what a document without a line ends in
    found = np.empty((5, specials), dtype=np.int64)
    first = np.zeros(documents + 1, dtype=np.int64)
    count, k = 0, 1  # the first is the line feed before the first document
    for document in range(documents):
        begin, stop = origin[document], origin[document + 1] - 1
        ahead = begin  # bytes that are no character's first, and all bytes before the document
        if stop - begin >= 3 and buffer[begin] == 0xEF and buffer[begin + 1] == 0xBB and buffer[begin + 2] == 0xBF:
            begin += 3
            ahead += 2
            k += 3
        begin_ahead, visible, seen = ahead, False, begin  # up to `seen` it is known whether anything is visible
        while k < specials and special[k] <= stop:
            at = special[k]
            while not visible and seen < at:
                visible = buffer[seen] != _SPACE
                seen += 1
            size = _break_size(buffer, at)
            if size:
                if visible:
                    found[0, count], found[1, count] = begin, at
                    found[2, count], found[3, count] = begin - begin_ahead, at - ahead
                    found[4, count] = document
                    count += 1
                ahead += size - 1
                begin, begin_ahead, visible, seen = at + size, ahead, False, at + size
                k += size  # each of its bytes is special
                continue
            if buffer[at] & 0xC0 == 0x80:
                ahead += 1
            elif not visible:
                visible = not _is_white(buffer, at)
            seen = at + 1
            k += 1
        first[document + 1] = count
    return found[:, :count].copy(), first


@compiled
def compact(buffer: Any, start: Any, end: Any) -> Any:
    """The lines of a batch on one buffer, as `cleaner.evidence.compact.compact` has them.

    Args:
        buffer: uint8.
        start, end: int64 [lines], in the buffer.

    Returns:
        The lines, the same folded, and where each starts and ends in both.
    """
    lines = len(start)
    size = 2
    for line in range(lines):
        size += end[line] - start[line] + 1
    raw = np.empty(size, dtype=np.uint8)
    begins, ends = np.empty(lines, dtype=np.int64), np.empty(lines, dtype=np.int64)
    raw[0] = _LINE_FEED
    put = 1
    for line in range(lines):
        begins[line] = put
        some = buffer[start[line] : end[line]]
        # most lines are copied as they are
        strange = some[0] == _SPACE or some[-1] == _SPACE
        for k in range(len(some)):
            strange |= (some[k] < _SPACE) | (some[k] == 0xC2)
        for k in range(1, len(some)):
            strange |= (some[k] == _SPACE) & (some[k - 1] == _SPACE)
        if strange:
            after_blank = True
            k = 0
            while k < len(some):
                byte = some[k]
                blank = byte == _SPACE or 9 <= byte <= 13 or 28 <= byte <= 31
                if byte == 0xC2 and some[k + 1] == 0xA0:
                    blank = True
                    k += 1
                # a blank after a blank is written and then written over
                raw[put] = _SPACE if blank else byte
                put += not (blank and after_blank)
                after_blank = blank
                k += 1
            put -= after_blank
        else:
            raw[put : put + len(some)] = some
            put += len(some)
        ends[line] = put
        raw[put] = _LINE_FEED
        put += 1
    raw = raw[:put].copy()
    folded = np.empty_like(raw)
    for k in range(put):
        byte = raw[k]
        capital, digit = np.uint8(byte - 0x41) < 26, np.uint8(byte - 0x30) < 10
        folded[k] = byte + 0x20 if capital else 0x30 if digit else byte
    return raw, folded, begins, ends


@compiled
def runs(start: Any, end: Any, kept: Any, alone: Any) -> Any:
    """The runs of kept lines of a document.

    Args:
        start, end: int64 [lines], where they stand.
        kept: bool [lines], whether each stays.
        alone: int64, lines that are a run of their own if they stay.

    Returns:
        int64 [runs, 3]: the first and the last line of each, and whether all gaps since the run before are of one
        character.
    """
    apart = np.zeros(len(kept) + 1, dtype=np.bool_)
    for line in alone:
        apart[line] = apart[line + 1] = True
    found = np.empty((len(kept), 3), dtype=np.int64)
    count, plain = 0, 1
    for line in range(len(kept)):
        if line > 0:
            plain &= start[line] - end[line - 1] == 1
        if kept[line]:
            if line > 0 and kept[line - 1] and not apart[line]:
                found[count - 1, 1] = line
            else:
                found[count, 0], found[count, 1], found[count, 2] = line, line, plain
                count += 1
            plain = 1
    return found[:count].copy()

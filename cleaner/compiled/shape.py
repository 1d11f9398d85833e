"""What a line looks like, a byte at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from cleaner.compiled.jit import compiled

#: What may begin at a byte.
_CAPITAL, _COPYRIGHT, _ADDRESS = np.uint8(1), np.uint8(2), np.uint8(4)


@compiled
def _ends_sentence(raw: Any, start: Any, end: Any, closing: Any, ends: Any, stops: Any) -> Any:
    """Whether a line ends in a full stop or the like, perhaps inside closing quotes or brackets.

    Args:
        raw: uint8 [bytes].
        start, end: of the line.
        closing: uint8 [sequences, 4], how many bytes each closing mark has, and which, the last one first.
        ends: bool [256], which bytes end a sentence.
        stops: as `closing`, what else ends a sentence.
    """
    after = end
    last = raw[end - 1]
    may_close = False
    for k in range(len(closing)):
        may_close |= closing[k, 1] == last
    for _ in range(2 if may_close else 0):  # for a quotation inside brackets or brackets inside a quotation
        for k in range(len(closing)):
            inner = after - np.int64(closing[k, 0])
            if inner > start and _ends_with(raw, after, closing[k]):
                after = inner
    if ends[raw[after - 1]]:
        return True
    for k in range(len(stops)):
        if _ends_with(raw, after, stops[k]):
            return True
    return False


@compiled
def _ends_with(raw: Any, after: Any, tail: Any) -> Any:
    for back in range(1, np.int64(tail[0]) + 1):
        if raw[max(after - back, 0)] != tail[back]:
            return False
    return True


@compiled
def _in_word(byte: Any) -> Any:
    """Whether a byte is part of a word: a letter, a digit, or of a character beyond ASCII."""
    return (np.uint8((byte | np.uint8(0x20)) - 0x61) < 26) | (np.uint8(byte - 0x30) < 10) | (byte >= 0x80)


@compiled
def _mark(byte: Any, before: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """What begins at a byte: a capitalised word, a copyright sign, an address.

    Args:
        byte: as it is written.
        before: the byte before it.
        a, b, c, d: the same byte and the three after it, folded.
    """
    return (
        _CAPITAL * ((np.uint8(byte - 0x41) < 26) & ~_in_word(before))
        | _COPYRIGHT * ((byte == 0xC2) & (b == 0xA9))
        | _ADDRESS
        * (
            (byte == 0x40)
            | (a == 0x68) & (b == 0x74) & (c == 0x74) & (d == 0x70)
            | (a == 0x77) & (b == 0x77) & (c == 0x77) & (d == 0x2E)
        )
    )


@compiled
def _marked(raw: Any, folded: Any) -> Any:
    """What begins at each byte: uint8 [bytes]; 0 for the first."""
    size = len(raw)
    marks = np.zeros(size, dtype=np.uint8)
    for k in range(1, size - 3):
        marks[k] = _mark(raw[k], raw[k - 1], folded[k], folded[k + 1], folded[k + 2], folded[k + 3])
    for k in range(max(size - 3, 1), size):  # an address no longer fits here
        after = folded[k + 1] if k + 1 < size else np.uint8(0)
        marks[k] = _mark(raw[k], raw[k - 1], folded[k], after, np.uint8(0), np.uint8(0))
    return marks


@compiled
def shape(
    raw: Any,
    folded: Any,
    start: Any,
    end: Any,
    words: Any,
    document: Any,
    first: Any,
    given: Any,
    tables: Any,
    out: Any,
) -> None:
    """Describe each line by its own look and its place, as `cleaner.evidence.shape.shape_features` does.

    Args:
        raw, folded: uint8 [bytes].
        start, end: int64 [lines].
        words: int64 [lines], how many words each line has.
        document: int64 [lines].
        first: int64 [documents + 1].
        given: int8 [4, lines], what is found out elsewhere: whether a line is the label of a share button, how many
            copies it has, and whether it is the same as the line before and after.
        tables: from `cleaner.evidence.shape`.
        out: int8 [lines, features], to be filled.
    """
    counted, classes, logged, kinds_of_end, kinds_of_begin, closing, ends, stops, log_steps = tables
    marks = _marked(raw, folded)
    counted_low, counted_high = counted[0], counted[1]
    count = np.empty(16, dtype=np.int64)
    for line in range(len(start)):
        begin, stop = start[line], end[line]
        size = stop - begin
        count[:] = 0
        seen = np.uint8(0)
        for part in range(begin, stop, 255):  # before a counter of eight bits is full
            low, high = np.uint64(0), np.uint64(0)
            some_raw, some_marks = raw[part : min(part + 255, stop)], marks[part : min(part + 255, stop)]
            for k in range(len(some_raw)):
                low += counted_low[some_raw[k]]
                high += counted_high[some_raw[k]] + (np.uint64(some_marks[k] & _CAPITAL) << np.uint64(56))
                seen |= some_marks[k]
            for k in range(8):
                count[k] += np.int64((low >> np.uint64(8 * k)) & np.uint64(255))
                count[8 + k] += np.int64((high >> np.uint64(8 * k)) & np.uint64(255))
        capitals = count[15]
        characters, some = size - count[classes[0]], max(words[line], 1)
        row = out[line]
        row[0] = log_steps[min(characters, len(log_steps) - 1)]
        row[1] = log_steps[min(words[line], len(log_steps) - 1)]
        row[2] = min(8 * (characters - count[classes[1]]) // some, 127)
        row[3] = min(127 * capitals // some, 127)
        put = 4
        for k in range(15):  # many at once, and exact for lines of less than 2^40 bytes
            row[put + k] = np.int8(np.float64(127 * count[k]) / size)
        put += 15
        for k in range(len(logged)):
            row[put + k] = log_steps[min(count[logged[k]], len(log_steps) - 1)]
        put += len(logged)
        kinds = kinds_of_end[raw[stop - 1]]
        for k in range(8):
            row[put + k] = 127 * ((kinds >> k) & 1)
        row[put + 8] = 127 * _ends_sentence(raw, begin, stop, closing, ends, stops)
        put += 9
        kinds = kinds_of_begin[raw[begin]]
        for k in range(6):
            row[put + k] = 127 * ((kinds >> k) & 1)
        put += 6
        row[put], row[put + 1] = 127 * (seen & _COPYRIGHT != 0), 127 * (seen & _ADDRESS != 0)
        for k in range(4):
            row[put + 2 + k] = given[k, line]
        put += 6
        ahead = line - first[document[line]]
        behind = first[document[line] + 1] - 1 - line
        row[put] = min(127 * ahead // max(ahead + behind, 1), 127)
        row[put + 1] = log_steps[min(ahead, len(log_steps) - 1)]
        row[put + 2] = log_steps[min(behind, len(log_steps) - 1)]


@compiled
def copies(key: Any, first: Any) -> Any:
    """How many lines of each line's document have its key, itself included: int64 [lines].

    Args:
        key: uint64 [lines].
        first: int64 [documents + 1].
    """
    count = np.empty(len(key), dtype=np.int64)
    largest = 1
    for document in range(len(first) - 1):
        largest = max(largest, first[document + 1] - first[document])
    size = 2
    while size < 2 * largest:
        size *= 2
    slot_of, number = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    slot = np.empty(largest, dtype=np.int64)
    for document in range(len(first) - 1):
        low, high = first[document], first[document + 1]
        size = 2
        while size < 2 * (high - low):
            size *= 2
        slot_of[:size] = -1
        for i in range(low, high):
            at = np.int64(key[i] & np.uint64(size - 1))
            while slot_of[at] >= 0 and key[slot_of[at]] != key[i]:
                at = (at + 1) & (size - 1)
            if slot_of[at] < 0:
                slot_of[at], number[at] = i, 0
            number[at] += 1
            slot[i - low] = at
        for i in range(low, high):
            count[i] = number[slot[i - low]]
    return count

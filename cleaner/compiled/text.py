"""Lines found, folded, hashed and described, a byte at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from cleaner.compiled.jit import compiled

_LINE_FEED, _SPACE = 0x0A, 0x20
#: What may begin at a byte.
_CAPITAL, _COPYRIGHT, _ADDRESS = np.uint8(1), np.uint8(2), np.uint8(4)


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
                k += size if size > 1 else 1
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
def four_grams(folded: Any, end: Any, factor: Any, bits: int) -> Any:
    """The bucket of the four bytes from each place on, as `cleaner.evidence.ngrams` has it: int32 [bytes].

    Args:
        folded: uint8 [bytes].
        end: int64 [lines].
        factor: uint32, the multiplier.
        bits: the logarithm of the number of buckets.
    """
    size = len(folded)
    bucket = np.empty(size, dtype=np.int32)
    shift = np.uint32(32 - bits)
    for k in range(size - 3):
        gram = (
            np.uint32(folded[k])
            | np.uint32(folded[k + 1]) << np.uint32(8)
            | np.uint32(folded[k + 2]) << np.uint32(16)
            | np.uint32(folded[k + 3]) << np.uint32(24)
        )
        bucket[k] = np.uint32(gram * factor) >> shift
    bucket[size - 3 :] = 1 << bits
    for line in range(len(end)):
        bucket[end[line] - 1] = 1 << bits
        bucket[end[line] - 2] = 1 << bits
    return bucket


@compiled
def words(folded: Any, start: Any, end: Any, in_word: Any, base: Any, base_inverse: Any, factor: Any, bits: int) -> Any:
    """The hashed words of each line, as `cleaner.evidence.ngrams` has them.

    Args:
        folded: uint8 [bytes].
        start, end: int64 [lines].
        in_word: bool [256], what words are made of.
        base, base_inverse: uint32, the base of the polynomial, and its inverse.
        factor: uint32, the multiplier.
        bits: the logarithm of the number of buckets.

    Returns:
        bucket int32 [words and line ends], first and count int64 [lines], length int64 [words and line ends].
    """
    lines = len(start)
    longest = 0
    for line in range(lines):
        longest = max(longest, end[line] - start[line])
    power, inverse = np.empty(longest + 1, dtype=np.uint32), np.empty(longest + 1, dtype=np.uint32)
    power[0] = inverse[0] = 1
    for k in range(longest):
        power[k + 1], inverse[k + 1] = np.uint32(power[k] * base), np.uint32(inverse[k] * base_inverse)
    most = (len(folded) + 1) // 2 + lines
    bucket, length = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int64)
    first, count = np.empty(lines, dtype=np.int64), np.empty(lines, dtype=np.int64)
    value = np.empty(longest + 1, dtype=np.uint32)
    edge = np.empty(longest + 2, dtype=np.int64)
    shift = np.uint32(32 - bits)
    put = 0
    for line in range(lines):
        begin, size = start[line], end[line] - start[line]
        edges, total, before = 0, np.uint32(0), False
        text = folded[begin : begin + size]
        for k in range(len(text)):
            value[k] = total
            byte = text[k]
            inside = in_word[byte]
            total = np.uint32(total + np.uint32(np.uint32(byte) * power[k]))
            edge[edges] = k
            edges += inside != before
            before = inside
        value[size] = total
        edge[edges] = size
        edges += before
        first[line], count[line] = put, edges // 2
        for k in range(0, edges, 2):
            a, b = edge[k], edge[k + 1]
            hashed = np.uint32(np.uint32(value[b] - value[a]) * inverse[a])
            bucket[put] = np.uint32(np.uint32(hashed ^ (hashed >> np.uint32(15))) * factor) >> shift
            length[put] = b - a
            put += 1
        bucket[put], length[put] = 1 << bits, 0
        put += 1
    return bucket[:put].copy(), first, count, length[:put].copy()


@compiled
def line_hashes(bucket: Any, first: Any, none: int) -> Any:
    """The sum of the random numbers of each line's n-grams, as `cleaner.evidence.shape` has it: uint64 [lines].

    Args:
        bucket: int32 [n-grams].
        first: int64 [lines].
        none: the bucket that stands for no n-gram.
    """
    hashes = np.empty(len(first), dtype=np.uint64)
    for line in range(len(first)):
        some = bucket[first[line] : first[line + 1] if line + 1 < len(first) else len(bucket)]
        total = np.uint64(0)
        for k in range(len(some)):
            # computed where numpy looks it up: the table would not fit into the processor's cache
            value = np.uint64(np.uint64(some[k] + 1) * np.uint64(0x9E3779B97F4A7C15))
            value = np.uint64((value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9))
            value = np.uint64((value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB))
            total += value if some[k] != none else np.uint64(0)
        hashes[line] = total
    return hashes


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
def _marked(raw: Any, folded: Any) -> Any:
    """What begins at each byte: a capitalised word, a copyright sign, an address. Uint8 [bytes]; 0 for the first."""
    size = len(raw)
    marks = np.zeros(size, dtype=np.uint8)
    for k in range(1, size - 3):
        byte, before = raw[k], raw[k - 1]
        after_word = (
            (np.uint8((before | np.uint8(0x20)) - 0x61) < 26) | (np.uint8(before - 0x30) < 10) | (before >= 0x80)
        )
        a, b, c, d = folded[k], folded[k + 1], folded[k + 2], folded[k + 3]
        marks[k] = (
            _CAPITAL * ((np.uint8(byte - 0x41) < 26) & ~after_word)
            | _COPYRIGHT * ((byte == 0xC2) & (b == 0xA9))
            | _ADDRESS
            * (
                (byte == 0x40)
                | (a == 0x68) & (b == 0x74) & (c == 0x74) & (d == 0x70)
                | (a == 0x77) & (b == 0x77) & (c == 0x77) & (d == 0x2E)
            )
        )
    for k in range(max(size - 3, 1), size):  # no longer mark fits here
        before = raw[k - 1]
        after_word = (
            (np.uint8((before | np.uint8(0x20)) - 0x61) < 26) | (np.uint8(before - 0x30) < 10) | (before >= 0x80)
        )
        marks[k] = (
            _CAPITAL * ((np.uint8(raw[k] - 0x41) < 26) & ~after_word)
            | _COPYRIGHT * ((raw[k] == 0xC2) & (k + 1 < size and raw[k + 1] == 0xA9))
            | _ADDRESS * (raw[k] == 0x40)
        )
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
def places(bucket: Any, wanted: Any) -> Any:
    """Where the n-grams stand whose bucket is wanted, rising: int64 [places].

    Args:
        bucket: int32 [n-grams].
        wanted: uint8, a bit for each bucket, the lowest of a byte first.
    """
    found = np.empty(len(bucket) + 1, dtype=np.int64)
    count = 0
    for k in range(len(bucket)):
        number = np.uint32(bucket[k])
        found[count] = k
        count += (wanted[number >> np.uint32(3)] >> (number & np.uint32(7))) & 1
    return found[:count].copy()


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

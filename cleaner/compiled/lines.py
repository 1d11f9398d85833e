"""What stands around each line of a document, a document at a time.

Each function computes the features of the module of `cleaner.evidence` that it is named after, int8 [lines, features];
they are explained there. Common arguments are `first`, int64 [documents + 1], the first line of each document; `body`,
int32 [lines], how likely each line is body, from 0 to 127; `words`, int64 [lines], how many words each line has; and
`log_steps`, int8, the logarithms of counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cleaner.compiled.jit import compiled

_LARGEST = 127


@compiled
def _logged(count: Any, log_steps: Any) -> Any:
    return np.int64(log_steps[min(count, len(log_steps) - 1)])


@compiled
def _limited(value: Any) -> Any:
    return max(-_LARGEST, min(_LARGEST, value))


@compiled
def context(own: Any, near: Any, probability: Any, words: Any, first: Any, body: int, clear: int, nearness: Any) -> Any:
    """Without windows.

    Args:
        own, near: float64 [lines, labels], log-probabilities.
        probability: int32 [lines, labels], the first as whole numbers from 0 to 127.
        words: int64 [lines].
        first: int64 [documents + 1].
        body: which label is body.
        clear: from which probability on a line's own words speak clearly.
        nearness: int8 [distances].
    """
    count, labels = own.shape
    out = np.zeros((count, 6 * labels + 2), dtype=np.int8)
    total, weighted = np.empty(labels, dtype=np.int64), np.empty(labels, dtype=np.int64)
    last = np.empty(labels, dtype=np.int64)
    for document in range(len(first) - 1):
        low, high = first[document], first[document + 1]
        total[:] = 0
        weighted[:] = 0
        weight, mass = 0, 0
        for i in range(low, high):
            some = max(words[i], 1)
            weight += some
            mass += np.int64(probability[i, body]) * some
            for k in range(labels):
                total[k] += probability[i, k]
                weighted[k] += np.int64(probability[i, k]) * some
        last[:] = -1
        before = 0
        for i in range(low, high):
            row = out[i]
            for k in range(labels):
                row[k] = np.int8(max(-127.0, min(0.0, np.rint(16 * own[i, k]))))
                row[labels + k] = np.int8(max(-127.0, min(0.0, np.rint(16 * near[i, k]))))
                row[2 * labels + k] = np.int8(np.rint(total[k] / (high - low)))
                row[3 * labels + k] = np.int8(np.rint(weighted[k] / weight))
                if last[k] >= 0:
                    row[4 * labels + k] = nearness[min(i - last[k], len(nearness) - 1)]
            here = np.int64(probability[i, body]) * max(words[i], 1)
            row[6 * labels] = _LARGEST * before // max(mass, 1)
            row[6 * labels + 1] = _LARGEST * (mass - before - here) // max(mass, 1)
            before += here
            for k in range(labels):
                if probability[i, k] >= clear:
                    last[k] = i
        last[:] = -1
        for i in range(high - 1, low - 1, -1):
            for k in range(labels):
                if last[k] >= 0:
                    out[i, 5 * labels + k] = nearness[min(last[k] - i, len(nearness) - 1)]
                if probability[i, k] >= clear:
                    last[k] = i
    return out


@compiled
def cohesion(
    bucket: Any, length: Any, rarity: Any, first_word: Any, body: Any, first: Any, bits: int, shortest: int,
    enough: int, rarity_step: int, log_steps: Any,
) -> Any:  # fmt: skip
    """With the rarity of words.

    Args:
        bucket: int32 [words and line ends].
        length: int64, the bytes of each.
        rarity: uint8, how rare each is.
        first_word: int64 [lines], the place of each line's first word.
        body: int32 [lines].
        first: int64 [documents + 1].
        bits: the logarithm of the number of buckets.
        shortest: how many bytes make a long word.
        enough: in how much likely body a word must stand to count as the text's own.
        rarity_step: how much rarity is one.
        log_steps: int8.
    """
    count = len(first_word)
    out = np.empty((count, 10), dtype=np.int8)
    # a set that needs no emptying (Briggs and Torczon 1993): a word is one of the document's if the place that it is
    # said to have is in use, and in use by it
    said = np.empty((1 << bits) + 1, dtype=np.int32)
    said[:] = 0
    # the long words alone, found without a branch to guess wrong
    word, rare = np.empty(len(bucket) + 1, dtype=np.int32), np.empty(len(bucket) + 1, dtype=np.int32)
    first_long = np.empty(count + 1, dtype=np.int64)
    found = 0
    for i in range(count):
        first_long[i] = found
        begin, end = first_word[i], first_word[i + 1] if i + 1 < count else len(bucket)
        buckets, lengths, rarities = bucket[begin:end], length[begin:end], rarity[begin:end]
        for k in range(len(buckets)):
            word[found], rare[found] = buckets[k], rarities[k]
            found += lengths[k] >= shortest
    first_long[count] = found
    used_by = np.empty(found + 1, dtype=np.int32)
    inside_of, outside_of = np.empty(found + 1, dtype=np.int64), np.empty(found + 1, dtype=np.int64)
    for document in range(len(first) - 1):
        low, high = first[document], first[document + 1]
        used = 0
        for i in range(low, high):
            inside = np.int64(body[i])
            for k in range(first_long[i], first_long[i + 1]):
                at = said[word[k]]
                if at >= used or used_by[at] != word[k]:
                    at = said[word[k]] = used
                    used_by[at], inside_of[at], outside_of[at] = word[k], 0, 0
                    used += 1
                inside_of[at] += inside
                outside_of[at] += _LARGEST - inside
                word[k] = at
        for i in range(low, high):
            inside = np.int64(body[i])
            in_body, in_rest = 0, 0
            every, of_body, of_rest = 0, 0, 0
            long = first_long[i + 1] - first_long[i]
            for k in range(first_long[i], first_long[i + 1]):
                at, rarity_ = word[k], rare[k]
                is_in_body = inside_of[at] - inside >= enough
                is_in_rest = outside_of[at] - (_LARGEST - inside) >= enough
                every += rarity_
                in_body += is_in_body
                of_body += rarity_ * is_in_body
                in_rest += is_in_rest
                of_rest += rarity_ * is_in_rest
            row = out[i]
            row[0] = _LARGEST * in_body // max(long, 1)
            row[1] = _LARGEST * in_rest // max(long, 1)
            row[2] = _logged(long, log_steps)
            row[3] = _LARGEST * of_body // max(every, 1)
            row[4] = _logged(of_body // rarity_step, log_steps)
            row[5] = _logged((every - of_body) // rarity_step, log_steps)
            row[6] = _LARGEST * of_rest // max(every, 1)
            row[7] = _logged(of_rest // rarity_step, log_steps)
            row[8] = _logged((every - of_rest) // rarity_step, log_steps)
            row[9] = _logged(every // rarity_step, log_steps)
    return out


@compiled
def blocks(
    body: Any, words: Any, first: Any, by_words: Any, cuts: Any, radii: Any, long_line: int, log_steps: Any
) -> Any:
    """All of them.

    Args:
        body: int32 [lines].
        words: int64 [lines].
        first: int64 [documents + 1].
        by_words: bool [stretches], whether a stretch is summed by words or by lines.
        cuts: int64 [stretches], from which probability on a line adds to it.
        radii: int64, of the neighbourhoods.
        long_line: how many words make a long line.
        log_steps: int8.
    """
    count, stretches = len(body), len(cuts)
    out = np.empty((count, 5 * stretches + 2 * len(radii) + 3), dtype=np.int8)
    near = np.empty(count, dtype=np.int64)
    for document in range(len(first) - 1):
        low, high = first[document], first[document + 1]
        if low == high:
            continue
        for stretch in range(stretches):
            # Kadane's algorithm: of stretches with the same sum the one that ends first and is shortest
            before, lowest, lowest_at = 0, 0, low
            best, start, end, gains = -(1 << 62), low, low, 0
            for i in range(low, high):
                if before <= lowest:
                    lowest, lowest_at = before, i
                gain = (np.int64(body[i]) - cuts[stretch]) * (max(words[i], 1) if by_words[stretch] else 1)
                before += gain
                gains += max(gain, 0)
                if before - lowest > best:
                    best, start, end = before - lowest, lowest_at, i + 1
            if best <= 0:
                start = end = low
            share = _LARGEST * max(best, 0) // max(gains, 1)
            for i in range(low, high):
                from_start, to_end = i - start, end - 1 - i
                inside = from_start >= 0 and to_end >= 0
                row = out[i, 5 * stretch :]
                row[0] = _LARGEST * inside
                row[1] = _limited(2 * _logged(max(-from_start, 0), log_steps) - 2 * _logged(max(-to_end, 0), log_steps))
                row[2] = _limited(share)
                row[3] = _limited(2 * _logged(min(from_start, to_end) if inside else 0, log_steps))
                row[4] = _logged(end - start, log_steps)
        for k in range(len(radii)):
            radius, put = radii[k], 5 * stretches + 2 * k
            total, densest = 0, 1
            for i in range(low, min(low + radius, high)):
                total += np.int64(body[i]) * words[i]
            for i in range(low, high):
                if i + radius < high:
                    total += np.int64(body[i + radius]) * words[i + radius]
                if i - radius - 1 >= low:
                    total -= np.int64(body[i - radius - 1]) * words[i - radius - 1]
                near[i] = total
                densest = max(densest, total)
            for i in range(low, high):
                out[i, put] = _LARGEST * near[i] // densest
                out[i, put + 1] = _logged(near[i] // 64, log_steps)
        total, long = 0, 0
        for i in range(low, high):
            total += words[i]
            long += words[i] if words[i] >= long_line else 0
        put = 5 * stretches + 2 * len(radii)
        for i in range(low, high):
            out[i, put] = _logged(high - low, log_steps)
            out[i, put + 1] = _logged(total, log_steps)
            out[i, put + 2] = _LARGEST * long // max(total, 1)
    return out


@compiled
def _cosine(vector: Any, length: Any, sums: Any, mass: Any) -> Any:
    """127 times the cosine between a line's vector and the sums of the other lines' of a stretch that it is in."""
    product, square = np.int64(0), np.int64(0)
    for k in range(len(vector)):
        other = np.int32(sums[k] - vector[k] * mass)
        product += vector[k] * other
        square += other * other
    size = length * np.sqrt(np.float64(square))
    return np.int64(np.rint(_LARGEST * np.float64(product) / max(size, 1.0)))


@compiled
def topics(vector: Any, body: Any, words: Any, first: Any, axes: int, reach: int, long_line: int) -> Any:
    """All of them; of a document in which a sum can overflow they mean nothing.

    Args:
        vector: int32 [lines, dimensions], what each line is about.
        body: int32 [lines].
        words: int64 [lines].
        first: int64 [documents + 1].
        axes: how many numbers of a line's vector are told as they are.
        reach: how many lines before and after count as near.
        long_line: from how many words on a line weighs no more.
    """
    count, dimensions = vector.shape
    out = np.empty((count, 6 + axes), dtype=np.int8)
    # below 2^28; products of 32 bits are many times as fast as those of 64
    sums = np.empty((4, dimensions), dtype=np.int32)  # of body, of body near, of the rest, of the rest near
    for document in range(len(first) - 1):
        low, high = first[document], first[document + 1]
        sums[:] = 0
        for i in range(low, high):
            inside, outside = np.int32(body[i]), np.int32(_LARGEST - body[i])
            near = i < low + reach
            for k in range(dimensions):
                sums[0, k] += np.int32(vector[i, k] * inside)
                sums[2, k] += np.int32(vector[i, k] * outside)
            if near:
                for k in range(dimensions):
                    sums[1, k] += np.int32(vector[i, k] * inside)
                    sums[3, k] += np.int32(vector[i, k] * outside)
        weight, weighted = 0, 0
        for i in range(low, high):
            for entering in range(2):
                j = i + reach if entering else i - reach - 1
                if low <= j < high:
                    sign = 1 if entering else -1
                    mass, rest = np.int32(sign * body[j]), np.int32(sign * (_LARGEST - body[j]))
                    for k in range(dimensions):
                        sums[1, k] += np.int32(vector[j, k] * mass)
                        sums[3, k] += np.int32(vector[j, k] * rest)
            square = np.int64(0)
            for k in range(dimensions):
                square += vector[i, k] * vector[i, k]
            length = np.sqrt(np.float64(square))
            inside, outside = np.int32(body[i]), np.int32(_LARGEST - body[i])
            row = out[i]
            likeness = _cosine(vector[i], length, sums[0], inside)
            row[0] = likeness
            row[1] = _cosine(vector[i], length, sums[1], inside)
            row[2] = _cosine(vector[i], length, sums[2], outside)
            row[3] = _cosine(vector[i], length, sums[3], outside)
            for k in range(axes):
                row[6 + k] = np.int8(np.rint(np.float64(_LARGEST * np.int64(vector[i, k])) / max(length, 1.0)))
            some = np.int64(inside) * min(words[i], long_line)
            weight += some
            weighted += some * likeness
        mean = weighted // max(weight, 1)
        for i in range(low, high):
            out[i, 4] = mean
            out[i, 5] = _limited(np.int64(out[i, 0]) - mean)
    return out

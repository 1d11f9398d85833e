"""Lines hashed, a byte at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from cleaner.compiled.jit import compiled


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

"""Hashed character and word n-grams of each line, computed on the byte buffer of a whole batch.

Hashing instead of a vocabulary (Weinberger et al. 2009, arXiv 0902.2206) keeps the model a plain array and
lets any language in: the n-grams are over UTF-8 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops
from cleaner.evidence.compact import CompactLines

Unsigned = TypeVar("Unsigned", np.uint32, np.uint64)

#: Multipliers of Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4), one for each kind of n-gram.
_CHARACTERS = np.uint32(0x9E3779B1)
_WORDS = np.uint32(0x85EBCA6B)
#: The base of the polynomial that a word is hashed with; odd, so that it has an inverse modulo 2^32.
_BASE = 0x01000193

_IN_WORD = np.zeros(256, dtype=bool)
_IN_WORD[ord("a") : ord("z") + 1] = True
_IN_WORD[ord("0")] = True
_IN_WORD[0x80:] = True


@dataclass(frozen=True, slots=True, eq=False)
class Grams:
    """Hashed n-grams of the lines of a batch, one kind of n-gram.

    Attributes:
        bucket: int32 [grams], from 0 to 2^bits - 1; 2^bits itself stands for no n-gram at all.
        first: int64 [lines], the place of each line's first n-gram; a line ends where the next begins.
        count: int64 [lines], how many real n-grams the line has.
        bits: the logarithm of the number of buckets.
    """

    bucket: NDArray[np.int32]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    bits: int


@dataclass(frozen=True, slots=True, eq=False)
class Words(Grams):
    """Hashed words.

    Attributes:
        length: int64 [grams], the bytes of each word; 0 for what stands for no word.
    """

    length: NDArray[np.int64]


def hash_lines(lines: CompactLines, bits: int) -> tuple[Grams, Words]:
    """Hash every line's 4-byte n-grams and its words.

    Args:
        lines: the batch.
        bits: the logarithm of the number of buckets.

    Returns:
        The n-grams of four bytes, line ends included, and the words: runs of letters, digits and non-ASCII.
    """
    return _four_grams(lines, bits), _words(lines, bits)


def _four_grams(lines: CompactLines, bits: int) -> Grams:
    text = lines.folded
    count = np.maximum(lines.end - lines.start - 1, 0)
    if len(text) < 4:
        empty = np.full(len(lines) * 2, 1 << bits, dtype=np.int32)
        return Grams(empty, np.arange(len(lines)) * 2, np.zeros(len(lines), dtype=np.int64), bits)
    if (fast := loops("grams", len(lines))) is not None:
        return Grams(fast.four_grams(text, lines.end, _CHARACTERS, bits), lines.start - 1, count, bits)
    pairs = text[:-1].astype(np.uint16)
    pairs |= text[1:].astype(np.uint16) << np.uint16(8)
    grams = pairs[:-2].astype(np.uint32)
    grams |= pairs[2:].astype(np.uint32) << np.uint32(16)
    bucket = np.empty(len(text), dtype=np.int32)
    bucket[:-3] = (grams * _CHARACTERS) >> np.uint32(32 - bits)
    bucket[-3:] = 1 << bits
    # an n-gram may begin or end with a line feed, never run across one
    for offset in (1, 2):
        bucket[lines.end - offset] = 1 << bits
    return Grams(bucket, lines.start - 1, count, bits)


def bucket_of(gram: bytes, bits: int) -> int:
    """The bucket of an n-gram of four folded bytes, the same as in a batch."""
    return int((np.frombuffer(gram, dtype="<u4").astype(np.uint32) * _CHARACTERS >> np.uint32(32 - bits))[0])


def bucket_of_word(word: bytes, bits: int) -> int:
    """The bucket of a folded word, the same as in a batch."""
    values = np.frombuffer(b"\n" + word, dtype=np.uint8).astype(np.uint32)
    value = hash_spans(values, np.array([1]), np.array([len(values)]), _BASE)
    return int(_word_bucket(value, bits)[0])


def _word_bucket(value: NDArray[np.uint32], bits: int) -> NDArray[np.int32]:
    return ((value ^ (value >> np.uint32(15))) * _WORDS >> np.uint32(32 - bits)).astype(np.int32)


def _words(lines: CompactLines, bits: int) -> Words:
    text = lines.folded
    if (fast := loops("grams", len(lines))) is not None:
        bucket, first, count, length = fast.words(
            text, lines.start, lines.end, _IN_WORD, np.uint32(_BASE), np.uint32(pow(_BASE, -1, 1 << 32)), _WORDS, bits
        )
        return Words(bucket, first, count, bits, length)
    inside = _IN_WORD[text]
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    begin, after = edges[::2], edges[1::2]
    value = hash_spans(text.astype(np.uint32), begin, after, _BASE)
    # a line feed after the last word of each line stands for "no word", so that no line is empty
    place = np.searchsorted(begin, lines.end)
    bucket = np.insert(_word_bucket(value, bits), place, 1 << bits)
    count = np.diff(place, prepend=0)
    first = np.cumsum(count + 1) - (count + 1)
    return Words(bucket, first, count, bits, np.insert(after - begin, place, 0))


def hash_spans(
    values: NDArray[Unsigned], begin: NDArray[np.int64], after: NDArray[np.int64], base: int
) -> NDArray[Unsigned]:
    """Hash stretches of a buffer, wherever they lie in it: the polynomial of their values in `base`.

    Args:
        values: what is hashed; its type is the type of the hashes, and sums wrap around at its size.
        begin, after: each stretch's first place, not the buffer's own first, and the place after its last.
        base: odd, so that it has an inverse.
    """
    inverse = pow(base, -1, 1 << 8 * values.itemsize)
    prefix = np.cumsum(values * _powers(base, values), dtype=values.dtype)
    return (prefix[after - 1] - prefix[begin - 1]) * _powers(inverse, values)[begin]


def _powers(base: int, like: NDArray[Unsigned]) -> NDArray[Unsigned]:
    """`base` to the power of 0, 1, ..., as many as `like` has and of its type."""
    powers = np.full_like(like, base)
    powers[:1] = 1
    return np.multiply.accumulate(powers, dtype=like.dtype)

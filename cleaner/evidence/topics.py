"""Whether a line is about what the text is about, though it may share no word with it.

Each word has a vector, learned from which words stand together on pages (latent semantic analysis, Deerwester et
al. 1990); a line's is the sum over its words, a text's the sum over its likely body. A teaser for another story points
elsewhere. The vector itself is told too: what sells speaks of other things than what explains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops
from cleaner.evidence.context import running
from cleaner.evidence.shape import LARGEST
from cleaner.segment.plain import LineTable

#: How many numbers a word's vector has, and how many of a line's are told as they are.
DIMENSIONS, _AXES = 48, 16
#: How many lines before and after count as near.
_NEAR = 4
#: From this many words on a line weighs no more.
_LONG_LINE = 20
#: Sums over a document of no more words stay below 2^28, for a word's numbers and a line's mass are below 2^7; and the
#: product of two such vectors stays below 2^62.
_MOST_WORDS, _MOST_BITS = 1 << 14, 28

FEATURES = (
    "likeness to the body", "likeness to the body near", "likeness to the rest", "likeness to the rest near",
    "likeness of the body to itself", "likeness to the body beside that of the body",
    *(f"topic {number}" for number in range(_AXES)),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Subjects:
    """What the words of a batch say of its lines' subjects.

    Attributes:
        vector: int32 or int64 [lines, DIMENSIONS], the sums of the vectors of each line's words.
        rarity: uint8 [grams], how rare each word is: the logarithm of the share of pages that have it.
    """

    vector: NDArray[np.integer]
    rarity: NDArray[np.uint8]


def topic_features(
    lines: LineTable, vector: NDArray[np.integer], body: NDArray[np.int32], words: NDArray[np.int64]
) -> NDArray[np.int8]:
    """Compare each line's subject with that of the other lines of its document.

    Args:
        lines: the batch.
        vector: int32 or int64 [lines, DIMENSIONS], of each line.
        body: int32 [lines], how likely each line is body, from 0 to 127.
        words: int64 [lines], how many words each line has.

    Returns:
        int8 [lines, len(FEATURES)], cosines times 127; the last are those between the line's vector and the
        first axes.
    """
    total = running(words)[lines.first]
    may_overflow = np.diff(total) > _MOST_WORDS
    if (fast := loops("lines", len(lines))) is None:
        return _described(lines.first, vector, body, words, bool(may_overflow.any()))
    described: NDArray[np.int8] = fast.topics(vector, body, words, lines.first, _AXES, _NEAR, _LONG_LINE)
    for k in np.flatnonzero(may_overflow).tolist():
        here = slice(lines.first[k], lines.first[k + 1])
        alone = np.array([0, here.stop - here.start])
        described[here] = _described(alone, vector[here], body[here], words[here], True)
    return described


def _described(
    first: NDArray[np.int64],
    vector: NDArray[np.integer],
    body: NDArray[np.int32],
    words: NDArray[np.int64],
    may_overflow: bool,
) -> NDArray[np.int8]:
    here = np.arange(len(vector))
    low, high = (np.repeat(edge, np.diff(first)) for edge in (first[:-1], first[1:]))
    near_low, near_high = np.maximum(here - _NEAR, low), np.minimum(here + _NEAR + 1, high)
    vectors = vector.astype(np.int64, copy=False)
    if may_overflow:
        vectors = _shifted(vectors)
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors).astype(np.float64))
    # written over again and again: asking for new memory costs more than filling it
    own, others, less = (np.empty_like(vectors) for _ in range(3))
    sums = np.zeros((len(vectors) + 1, vectors.shape[1]), dtype=np.int64)
    cosines = []
    for mass in (body, LARGEST - body):
        np.multiply(vectors, mass[:, None], out=own)
        np.cumsum(own, axis=0, out=sums[1:])
        for begin, end in ((low, high), (near_low, near_high)):
            np.take(sums, end, axis=0, out=others, mode="clip")
            np.take(sums, begin, axis=0, out=less, mode="clip")
            others -= less
            others -= own
            cosines.append(_cosine(vectors, length, _shifted(others) if may_overflow else others))
    weight = body * np.minimum(words, _LONG_LINE)
    sums, of = running(weight * cosines[0]), running(weight)
    mean = (sums[high] - sums[low]) // np.maximum(of[high] - of[low], 1)
    columns = np.stack([*cosines, mean, np.clip(cosines[0] - mean, -LARGEST, LARGEST)], axis=1)
    axes = np.rint(LARGEST * vectors[:, :_AXES] / np.maximum(length, 1.0)[:, None])
    return np.concatenate([columns, axes], axis=1).astype(np.int8)


def _shifted(vectors: NDArray[np.int64]) -> NDArray[np.int64]:
    """Vectors halved as often as it takes for no product of two of them to overflow; they point where they did."""
    largest = np.abs(vectors).max(axis=1, initial=0)
    bits = np.frexp(largest.astype(np.float64))[1].astype(np.int64)
    shifted: NDArray[np.int64] = vectors >> np.maximum(bits - _MOST_BITS, 0)[:, None]
    return shifted


def _cosine(vector: NDArray[np.int64], length: NDArray[np.float64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    # of whole numbers: exact, whatever the order of addition
    product = np.einsum("ij,ij->i", vector, others).astype(np.float64)
    size = length * np.sqrt(np.einsum("ij,ij->i", others, others).astype(np.float64))
    cosine: NDArray[np.int64] = np.rint(LARGEST * product / np.maximum(size, 1.0)).astype(np.int64)
    return cosine

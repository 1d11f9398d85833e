"""Whether a line talks of what the text talks of: words it shares with the lines that are surely body.

A teaser or an appeal can be as well written as the article around it; its words are other words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops
from cleaner.evidence.ngrams import Words
from cleaner.evidence.shape import LARGEST, log_steps, log_table
from cleaner.segment.plain import LineTable

#: Words of fewer bytes are mostly function words, which every text shares with every other.
_SHORTEST = 5
#: In how much likely body (of 127 a line) a word must stand to count as the text's own.
_ENOUGH = 64

FEATURES = ("long words also in body", "long words also outside body", "log long words")
#: What the rarity of words adds: to share a name says more than to share a common word.
RARITY_FEATURES = (
    *(
        f"{what} also {where}"
        for where in ("in body", "outside body")
        for what in ("share of rarity", "log rarity of words", "log rarity of words not")
    ),
    "log rarity",
)
_RARITY_STEP = 16


def cohesion_features(
    lines: LineTable, words: Words, body: NDArray[np.int32], rarity: NDArray[np.uint8] | None = None
) -> NDArray[np.int8]:
    """Compare each line's long words with the other lines of its document.

    Args:
        lines: the batch.
        words: its words.
        body: int32 [lines], how likely each line is body, from 0 to 127.
        rarity: uint8 [grams], how rare each word is, where that is known.

    Returns:
        int8 [lines, len(FEATURES)], and `RARITY_FEATURES` after them where the rarity is known.
    """
    if rarity is not None and (fast := loops("lines", len(lines))) is not None:
        described: NDArray[np.int8] = fast.cohesion(
            words.bucket, words.length, rarity, words.first, body, lines.first, words.bits, _SHORTEST, _ENOUGH,
            _RARITY_STEP, log_table(),
        )  # fmt: skip
        return described
    long = np.flatnonzero(words.length >= _SHORTEST)
    line = (np.searchsorted(words.first, long, side="right") - 1).astype(np.int64)
    key = (lines.document[line] << 32) | words.bucket[long]
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=-1))
    group = np.empty(len(key), dtype=np.int64)
    group[order] = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(key)))
    also: list[NDArray[np.bool_]] = []
    for mass in (body, LARGEST - body):
        own = mass[line]
        total = np.add.reduceat(own[order], begins, dtype=np.int64) if len(begins) else own
        also.append(total[group] - own >= _ENOUGH)
    count = np.bincount(line, minlength=len(lines))
    shares = [LARGEST * np.bincount(line[some], minlength=len(lines)) // np.maximum(count, 1) for some in also]
    features = [*(share.astype(np.int8) for share in shares), log_steps(count)]
    if rarity is not None:
        features += _by_rarity(line, rarity[long].astype(np.int64), also, len(lines))
    return np.stack(features, axis=1)


def _by_rarity(
    line: NDArray[np.int64], rarity: NDArray[np.int64], also: list[NDArray[np.bool_]], lines: int
) -> list[NDArray[np.int8]]:
    """`RARITY_FEATURES` of words, each of a line, some of which stand also in the body and some also outside."""
    every = _summed(line, rarity, lines)
    features = []
    for some in also:
        common = _summed(line[some], rarity[some], lines)
        features += [
            (LARGEST * common // np.maximum(every, 1)).astype(np.int8),
            log_steps(common // _RARITY_STEP),
            log_steps((every - common) // _RARITY_STEP),
        ]
    return [*features, log_steps(every // _RARITY_STEP)]


def _summed(line: NDArray[np.int64], value: NDArray[np.int64], lines: int) -> NDArray[np.int64]:
    """The sums of values line by line; whole numbers below 2^53, so exact."""
    return np.bincount(line, weights=value, minlength=lines).astype(np.int64)

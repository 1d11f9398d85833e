"""Whether a line talks of what the text talks of: words it shares with the lines that are surely body.

A teaser or an appeal can be as well written as the article around it; its words are other words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence.ngrams import Words
from cleaner.evidence.shape import LARGEST, log_steps
from cleaner.segment.plain import LineTable

#: Words of fewer bytes are mostly function words, which every text shares with every other.
_SHORTEST = 5
#: In how much likely body (of 127 a line) a word must stand to count as the text's own.
_ENOUGH = 64

FEATURES = ("long words also in body", "long words also outside body", "log long words")


def cohesion_features(lines: LineTable, words: Words, body: NDArray[np.int32]) -> NDArray[np.int8]:
    """Compare each line's long words with the other lines of its document.

    Args:
        lines: the batch.
        words: its words.
        body: int32 [lines], how likely each line is body, from 0 to 127.

    Returns:
        int8 [lines, len(FEATURES)].
    """
    long = np.flatnonzero(words.length >= _SHORTEST)
    line = (np.searchsorted(words.first, long, side="right") - 1).astype(np.int64)
    key = (lines.document[line] << 32) | words.bucket[long]
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=-1))
    group = np.empty(len(key), dtype=np.int64)
    group[order] = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(key)))
    shares = []
    for mass in (body, LARGEST - body):
        own = mass[line]
        total = np.add.reduceat(own[order], begins, dtype=np.int64) if len(begins) else own
        shared = total[group] - own >= _ENOUGH
        shares.append(np.bincount(line[shared], minlength=len(lines)))
    count = np.bincount(line, minlength=len(lines))
    parts = [(LARGEST * share // np.maximum(count, 1)).astype(np.int8) for share in shares]
    return np.stack([*parts, log_steps(count)], axis=1)

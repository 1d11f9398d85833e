"""Labels chosen, a document and a line at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from cleaner.compiled.jit import compiled


@compiled
def best_f1(steps: Any, words: Any, first: Any, whole: int) -> Any:
    """The best expected word F1 that any cut of each document has: float64 [documents], 0 for one without lines.

    Args:
        steps: int64 [lines], the probability of being kept, from 0 to `whole`.
        words: int64 [lines], how many words each line has, one at least.
        first: int64 [documents + 1], the first line of each document.
        whole: what probability 1 counts as.
    """
    best = np.zeros(len(first) - 1, dtype=np.float64)
    for document in range(len(first) - 1):
        low, high = first[document], first[document + 1]
        order = np.empty(high - low, dtype=np.int64)
        every = 0
        for i in range(low, high):
            order[i - low] = (whole - steps[i]) << 32 | (i - low)  # by probability, falling, and then by place
            every += steps[i] * words[i]
        order.sort()
        wanted, taken = 0, 0
        for key in order:
            i = low + (key & 0xFFFFFFFF)
            wanted += steps[i] * words[i]
            taken += words[i]
            best[document] = max(best[document], 2 * wanted / max(whole * taken + every, 1))
    return best


@compiled
def likeliest(probability: Any, kept: Any, wanted: Any) -> Any:
    """The likeliest label of each line, of the wanted ones if it is kept and else of the others: int8 [lines].

    Args:
        probability: float64 [lines, labels].
        kept: bool [lines].
        wanted: bool [labels].
    """
    label = np.zeros(len(kept), dtype=np.int8)
    for i in range(len(kept)):
        highest = -1.0
        for k in range(len(wanted)):
            if wanted[k] == kept[i] and probability[i, k] > highest:
                highest, label[i] = probability[i, k], k
    return label

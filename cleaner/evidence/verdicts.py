"""What trafilatura's verdicts say of a line: its own, its neighbours', how much of the page was kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence.context import running
from cleaner.evidence.shape import LARGEST, log_steps
from cleaner.segment.plain import LineTable

_RADII = (3, 8)

FEATURES: tuple[str, ...] = (
    "kept by trafilatura", "a comment to trafilatura", "trafilatura gave a verdict",
    "share of words kept by trafilatura", "log words kept by trafilatura",
    "between lines kept by trafilatura",
    *(f"kept by trafilatura at {offset:+d}" for offset in (-2, -1, 1, 2)),
    *(f"kept by trafilatura within {radius}" for radius in _RADII),
    *(f"a comment to trafilatura within {radius}" for radius in _RADII[:1]),
    "near a line before that trafilatura keeps", "near a line after that trafilatura keeps",
)  # fmt: skip


def verdict_features(
    lines: LineTable, kept: NDArray[np.int8], comment: NDArray[np.int8], words: NDArray[np.int64]
) -> NDArray[np.int8]:
    """Describe each line by what trafilatura makes of it and of the lines around it.

    Args:
        lines: the batch.
        kept, comment: int8 [lines], as in `Verdict`.
        words: int64 [lines], how many words each line has.

    Returns:
        int8 [lines, len(FEATURES)].
    """
    count = len(lines)
    if not count:
        return np.zeros((0, len(FEATURES)), dtype=np.int8)
    here = np.arange(count)
    low, high = lines.first[lines.document], lines.first[lines.document + 1]
    value = kept.astype(np.int64)
    mass, all_words, sums, comments = (running(each) for each in (value * words, words, value, comment))
    total = mass[high] - mass[low]
    is_kept = kept > LARGEST // 2
    last = _before_max(np.where(is_kept, here, -1))
    next_ = count - 1 - _before_max(np.where(is_kept[::-1], here, -1))[::-1]
    has_before, has_after = last >= low, (next_ < high) & (next_ > here)
    columns = [
        value,
        comment,
        LARGEST * (total > 0),
        total // np.maximum(all_words[high] - all_words[low], 1),
        log_steps(total // LARGEST),
        LARGEST * (has_before & has_after),
    ]
    for offset in (-2, -1, 1, 2):
        inside = (here + offset >= low) & (here + offset < high)
        columns.append(value[np.clip(here + offset, 0, count - 1)] * inside)
    for before, radii in ((sums, _RADII), (comments, _RADII[:1])):
        for radius in radii:
            a, b = np.maximum(here - radius, low), np.minimum(here + radius + 1, high)
            columns.append((before[b] - before[a]) // (b - a))
    for has, distance in ((has_before, here - last), (has_after, next_ - here)):
        far = 2 * log_steps(np.maximum(distance - 1, 0)).astype(np.int64)
        columns.append(np.where(has, np.maximum(LARGEST - far, 0), 0))
    return np.stack([np.clip(column, -LARGEST, LARGEST).astype(np.int8) for column in columns], axis=1)


def _before_max(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each line the largest value of the lines before it."""
    result = np.full(len(values), -1, dtype=np.int64)
    np.maximum.accumulate(values[:-1], out=result[1:])
    return result

"""What stands around a line: windows over the neighbours' own scores and shapes, and document statistics.

The first model scores each line by its own words; what carries the second is how those scores run in the
neighbourhood. All sums are over integers, so a line's features do not depend on the rest of the batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops
from cleaner.evidence.shape import FEATURES as SHAPE_FEATURES
from cleaner.evidence.shape import LARGEST
from cleaner.records import Label
from cleaner.segment.plain import LineTable

_CLASSES = len(Label)
_BODY = list(Label).index(Label.BODY)
_NEAR = (-2, -1, 1, 2)
_CENTRED = (3, 8, 25)
_ONE_SIDED = 6
#: A line's own words speak clearly for a class from this probability on (of 127).
_CLEAR = 76
_NEIGHBOUR_SHAPES = ("log words", "ends a sentence", "capitalised words")
_WINDOW_SHAPES = (
    "log words",
    "ends a sentence",
    "share of digit",
    "same as the line before",
    "log copies in the document",
)

_OWN = (
    *(f"own log-probability of {label}" for label in Label),
    *(f"log-probability of {label} by the neighbours' words" for label in Label),
)
_SCORE_WINDOWS = (
    *(f"probability of {label} at {offset:+d}" for offset in _NEAR for label in Label),
    *(f"mean of {label} within {width}" for width in _CENTRED for label in Label),
    *(f"mean of {label} in the {_ONE_SIDED} {side}" for side in ("before", "after") for label in Label),
)
_DOCUMENT = (
    *(f"mean of {label} in the document" for label in Label),
    *(f"share of {label} in the document's text" for label in Label),
    *(f"lines since clear {label}" for label in Label),
    *(f"lines to clear {label}" for label in Label),
    "share of body text before", "share of body text after",
)  # fmt: skip
_SHAPE_WINDOWS = (
    *(f"{name} at {offset:+d}" for offset in (-1, 1) for name in _NEIGHBOUR_SHAPES),
    *(f"mean {name} within {width}" for width in _CENTRED[:2] for name in _WINDOW_SHAPES),
)
#: What a network needs that sees one line at a time.
FEATURES: tuple[str, ...] = (*_OWN, *_SCORE_WINDOWS, *_DOCUMENT, *_SHAPE_WINDOWS)
#: What one needs that looks at the lines around by itself.
WIDE_FEATURES: tuple[str, ...] = (*_OWN, *_DOCUMENT)


def context_features(
    lines: LineTable,
    log_probability: NDArray[np.float64],
    near_log_probability: NDArray[np.float64],
    probability: NDArray[np.int32],
    shape: NDArray[np.int8],
    weight: NDArray[np.int64],
    windows: bool,
) -> NDArray[np.int8]:
    """Describe each line by what stands around it.

    Args:
        lines: the batch.
        log_probability: [lines, labels], natural logarithms of the probabilities by the line's own words.
        near_log_probability: the same by the words of the lines before and after.
        probability: int32 [lines, labels], the first as whole numbers from 0 to 127.
        shape: [lines, shape features], from `shape_features`.
        weight: [lines], each line's share in its document's text: its number of words.
        windows: whether the lines near by are looked at one by one and in windows.

    Returns:
        int8 [lines, len(FEATURES)], or [lines, len(WIDE_FEATURES)] without windows.
    """
    count = len(lines)
    if not count:
        return np.zeros((0, len(FEATURES if windows else WIDE_FEATURES)), dtype=np.int8)
    if not windows and (fast := loops("lines", count)) is not None:
        described: NDArray[np.int8] = fast.context(
            log_probability, near_log_probability, probability, weight, lines.first, _BODY, _CLEAR, _nearness_table()
        )
        return described
    here = np.arange(count)
    low = lines.first[lines.document]
    high = lines.first[lines.document + 1]

    window = _Windows(probability, here, low, high)
    words = np.maximum(weight, 1)
    blocks = [_log_steps(log_probability), _log_steps(near_log_probability)]
    if windows:
        blocks += [
            *(_at(probability, here + offset, low, high) for offset in _NEAR),
            *(window.mean(-width, width) for width in _CENTRED),
            window.mean(-_ONE_SIDED, -1),
            window.mean(1, _ONE_SIDED),
        ]
    blocks += [
        window.mean(-count, count),
        _text_shares(probability, words, low, high),
        *_clear_distances(probability, here, low, high),
        _body_progress((probability[:, _BODY] * words).astype(np.int64), here, low, high),
    ]
    if windows:
        shapes = shape[:, [SHAPE_FEATURES.index(name) for name in _WINDOW_SHAPES]]
        shape_window = _Windows(shapes.astype(np.int32), here, low, high)
        near_shapes = shape[:, [SHAPE_FEATURES.index(name) for name in _NEIGHBOUR_SHAPES]]
        blocks += [
            *(_at(near_shapes, here + offset, low, high) for offset in (-1, 1)),
            *(shape_window.mean(-width, width) for width in _CENTRED[:2]),
        ]
    table: NDArray[np.int8] = np.concatenate(blocks, axis=1)
    return table


def _log_steps(log_probability: NDArray[np.float64]) -> NDArray[np.int8]:
    return np.clip(np.rint(16 * log_probability), -LARGEST, 0).astype(np.int8)


class _Windows:
    """Means over stretches of neighbours that never reach into another document."""

    def __init__(
        self,
        values: NDArray[np.int32],
        here: NDArray[np.int64],
        low: NDArray[np.int64],
        high: NDArray[np.int64],
    ) -> None:
        self._sums = running(values)
        self._here, self._low, self._high = here, low, high

    def mean(self, first: int, last: int) -> NDArray[np.int8]:
        """The mean over the lines from `first` to `last` away, both included; 0 where there is none."""
        begin = np.clip(self._here + first, self._low, self._high)
        after = np.clip(self._here + last + 1, self._low, self._high)
        total = self._sums[after] - self._sums[begin]
        size = np.maximum(after - begin, 1)[:, None]
        mean: NDArray[np.int8] = np.rint(total / size).astype(np.int8)
        return mean


def running(values: NDArray[np.integer]) -> NDArray[np.int64]:
    """The sums of the rows before each row, and of all: int64 [rows + 1, ...]."""
    sums = np.zeros((len(values) + 1, *values.shape[1:]), dtype=np.int64)
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


def _at(
    values: NDArray[np.integer], place: NDArray[np.int64], low: NDArray[np.int64], high: NDArray[np.int64]
) -> NDArray[np.int8]:
    """The values of the lines at `place`; 0 outside the document."""
    inside = (place >= low) & (place < high)
    near: NDArray[np.int8] = (values[np.clip(place, 0, len(values) - 1)] * inside[:, None]).astype(np.int8)
    return near


def _text_shares(
    probability: NDArray[np.int32], words: NDArray[np.int64], low: NDArray[np.int64], high: NDArray[np.int64]
) -> NDArray[np.int8]:
    sums = running(probability * words[:, None])
    weight = running(words)
    total = weight[high] - weight[low]
    return np.rint((sums[high] - sums[low]) / total[:, None]).astype(np.int8)


def _body_progress(
    mass: NDArray[np.int64], here: NDArray[np.int64], low: NDArray[np.int64], high: NDArray[np.int64]
) -> NDArray[np.int8]:
    """How much of the document's likely body text stands before and after a line."""
    sums = running(mass)
    total = np.maximum(sums[high] - sums[low], 1)
    before, after = sums[here] - sums[low], sums[high] - sums[here + 1]
    return np.stack([LARGEST * before // total, LARGEST * after // total], axis=1).astype(np.int8)


def _clear_distances(
    probability: NDArray[np.int32], here: NDArray[np.int64], low: NDArray[np.int64], high: NDArray[np.int64]
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """For each class, how near the last line before and the next line after that are clearly of it.

    127 for the neighbour, less by 16 for each doubling of the distance, 0 where there is none.
    """
    clear = probability >= _CLEAR
    column = here[:, None]
    marked = np.where(clear, column, -1)
    last = np.full(marked.shape, -1, dtype=np.int64)
    np.maximum.accumulate(marked[:-1], axis=0, out=last[1:])
    following = np.where(clear, column, len(here))
    next_ = np.full(marked.shape, len(here), dtype=np.int64)
    next_[:-1] = np.minimum.accumulate(following[:0:-1], axis=0)[::-1]
    near = _nearness_table()
    since = np.where(last >= low[:, None], near[np.minimum(column - last, len(near) - 1)], 0)
    until = np.where(next_ < high[:, None], near[np.minimum(next_ - column, len(near) - 1)], 0)
    return since.astype(np.int8), until.astype(np.int8)


def _nearness_table() -> NDArray[np.int8]:
    distance = np.maximum(np.arange(257), 1)
    table: NDArray[np.int8] = np.clip(LARGEST - np.rint(16 * np.log2(distance)), 0, LARGEST).astype(np.int8)
    return table

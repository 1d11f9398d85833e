"""Trafilatura's verdicts on a line: the only place that imports trafilatura.

Of its text heuristics one works on bare lines, without an HTML tree and without state from document to
document: the filter for labels of share and print buttons (`trafilatura.utils.RE_FILTER`). Its extraction
functions must never see plain text: they take it for broken HTML.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence.compact import CompactLines

#: The labels it knows have less than 24 letters; no longer line, in bytes, is asked about.
_LONGEST = 40


def share_labels(lines: CompactLines) -> NDArray[np.int8]:
    """Which lines trafilatura takes for the label of a share or print button.

    Args:
        lines: the batch.

    Returns:
        int8 [lines], 1 where `RE_FILTER` matches the line, else 0.
    """
    from trafilatura.utils import RE_FILTER  # 0.1 s: paid when the first text is labelled, not on import

    found = np.zeros(len(lines), dtype=np.int8)
    text = lines.raw.tobytes()
    short = np.flatnonzero(lines.end - lines.start <= _LONGEST)
    for line, start, end in zip(short.tolist(), lines.start[short].tolist(), lines.end[short].tolist(), strict=True):
        if RE_FILTER.match(text[start:end].decode("utf-8", "surrogatepass")):
            found[line] = 1
    return found

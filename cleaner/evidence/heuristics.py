"""Trafilatura's verdicts on a line: the only place that imports trafilatura.

Of its text heuristics one works on bare lines, without an HTML tree and without state from document to
document: the filter for labels of share and print buttons (`trafilatura.utils.RE_FILTER`). Its extraction
functions must never see plain text: they take it for broken HTML.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence.compact import CompactLines


def share_labels(lines: CompactLines) -> NDArray[np.int8]:
    """Which lines trafilatura takes for the label of a share or print button.

    Args:
        lines: the batch.

    Returns:
        int8 [lines], 1 where `RE_FILTER` matches the line, else 0.
    """
    from trafilatura.utils import RE_FILTER  # 0.1 s: paid when the first text is labelled, not on import

    text = lines.raw.tobytes().decode("utf-8", "surrogatepass")
    return np.fromiter(
        (RE_FILTER.match(line) is not None for line in text.split("\n") if line),
        dtype=np.int8,
        count=len(lines),
    )

"""Which threshold loses how much body, measured on scores of pages that the model did not see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleaner.decide import sureness
from cleaner.records import DEFAULT_KEEP, Label
from training.corpora import FULL, HTML, Page
from training.lines import LABELS, Lines

#: The shares of body words that may be lost, for which thresholds are kept; others lie between.
LOSSES = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1)
#: What is kept when a promise is asked for: body alone, or the default.
KEPT_SETS: dict[str, frozenset[Label]] = {"body": frozenset({Label.BODY}), "body+title": DEFAULT_KEEP}


def is_promised(page: Page) -> bool:
    """Whether promises are made on a page: all of an article's page, read by a person."""
    return page.style in (FULL, HTML) and (page.corpus == "news" or (page.corpus == "en" and page.kind == "article"))


def kept_score(probability: NDArray[np.float64], keep: frozenset[Label]) -> NDArray[np.float64]:
    """The probability of some labels together, [lines]."""
    total: NDArray[np.float64] = probability[:, [LABELS.index(label) for label in LABELS if label in keep]].sum(axis=1)
    return total


def thresholds(lines: Lines, probability: NDArray[np.float64]) -> dict[str, list[tuple[float, float]]]:
    """For each set of kept labels, (loss, threshold): at that threshold so much of the body's words is lost.

    Where no page is such that a promise could be made on it (training on the seeds alone), all pages are taken.

    Args:
        lines: pages with labels.
        probability: [lines, labels], by models that did not see the line's host.
    """
    promised = np.array([is_promised(page) for page in lines.pages])[lines.page] & ~lines.made
    body = (lines.label == LABELS.index(Label.BODY)) & (promised | (not promised.any()))
    words = lines.words[body]
    table = {}
    for name, keep in KEPT_SETS.items():
        score = np.round(kept_score(probability, keep), 4)
        asked = score / sureness(lines.evidence.lines, score, lines.words)[lines.page]
        order = np.argsort(asked[body], kind="stable")
        lost = np.cumsum(words[order]) / max(words.sum(), 1)
        at = np.searchsorted(lost, LOSSES).clip(max=len(order) - 1)
        found = asked[body][order][at].clip(max=1.0)
        table[name] = [(loss, round(float(score), 4)) for loss, score in zip(LOSSES, found, strict=True)]
    return table

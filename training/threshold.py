"""The threshold from which on a line is kept, chosen on scores of pages that the model did not see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.lines import KEPT, UNLABELLED, Lines
from training.synthetic import SYNTHETIC, origin_of


def keep_score(log_probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of the labels that are kept by default."""
    total: NDArray[np.float64] = np.exp(log_probability[:, KEPT]).sum(axis=1)
    return total


def choose_threshold(lines: Lines, score: NDArray[np.float64]) -> float:
    """The highest threshold whose word F1 of the kept text is within one standard error of the best.

    The mean over pages hardly moves over a wide range of thresholds, because boilerplate has few words; readers see
    its lines. The one-standard-error rule (Breiman et al. 1984, Classification and Regression Trees, 3.4.3) takes
    the most removal that the data cannot tell from the best. A page and its synthetic copies together count as one
    page, half for the full dump and half for the leftovers. Words are counted by line.
    """
    words = lines.evidence.grams[1].count * (lines.label != UNLABELLED)
    gold = np.isin(lines.label, KEPT)
    first = lines.evidence.lines.first[:-1]
    wanted = np.add.reduceat(words * gold, first)
    some = wanted > 0
    origins: dict[tuple[str, str], int] = {}
    origin = np.array([origins.setdefault(origin_of(page), len(origins)) for page in lines.pages])[some]
    made = np.array([page.corpus == SYNTHETIC for page in lines.pages])[some]

    def mean_by_origin(f1: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        count = np.bincount(origin[chosen], minlength=len(origins))
        total = np.bincount(origin[chosen], f1[chosen], minlength=len(origins))
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    candidates = np.arange(5, 96) / 100
    means, errors = [], []
    for threshold in candidates:
        kept = score >= threshold
        right = np.add.reduceat(words * (gold & kept), first)[some]
        taken = np.add.reduceat(words * kept, first)[some]
        f1 = 2 * right / (wanted[some] + taken)
        pair = np.stack([mean_by_origin(f1, made), mean_by_origin(f1, ~made)])
        each = np.nanmean(pair[:, ~np.isnan(pair).all(axis=0)], axis=0)
        means.append(each.mean())
        errors.append(each.std() / np.sqrt(len(each)))
    best = int(np.argmax(means))
    good_enough = np.flatnonzero(np.array(means) >= means[best] - errors[best])
    return float(candidates[good_enough[-1]])

"""The lines of labelled pages as training data, and the choices of a training run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaner.pipeline import Evidence, gather
from cleaner.records import DEFAULT_KEEP, Label
from training.corpora import SEEDS, Page
from training.synthetic import SYNTHETIC

LABELS = list(Label)
#: The labels that are kept by default, as indices.
KEPT = [i for i, label in enumerate(LABELS) if label in DEFAULT_KEEP]
UNLABELLED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices of a training run; they were found by cross-validation by host on the labelled pages.

    Attributes:
        bits: logarithm of the number of n-gram buckets.
        copies: synthetic pages made of each real one.
        synthetic_weight: what a line of a synthetic page weighs beside one of a labelled page.
        seed_weight: what a line of a seed weighs beside one of a labelled page.
        alpha: strength of the linear model's L2 penalty.
        epochs: passes of the linear model over its lines.
        hidden: units of the network.
        decay: strength of the network's L2 penalty.
        networks: how many networks are averaged.
        own_share: the say of the linear model in the final score.
        passes: passes of the network over its lines.
        rarity: a label's lines weigh its frequency to the power of minus this.
        crowding: a page's lines weigh their number to the power of minus this.
        seed: of every generator.
    """

    bits: int = 18
    copies: int = 3
    synthetic_weight: float = 0.5
    seed_weight: float = 5.0
    alpha: float = 2e-6
    epochs: int = 6
    hidden: int = 64
    decay: float = 1e-3
    networks: int = 3
    own_share: float = 0.2
    passes: int = 8
    rarity: float = 0.3
    crowding: float = 0.3
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The lines of many pages as training data.

    Attributes:
        pages: the pages, in order.
        evidence: what is known of their lines.
        label: int64 [lines], index into `LABELS`, or `UNLABELLED`.
        fold: int64 [lines].
        weight: float64 [lines], 0 for unlabelled lines.
    """

    pages: list[Page]
    evidence: Evidence
    label: NDArray[np.int64]
    fold: NDArray[np.int64]
    weight: NDArray[np.float64]


def training_lines(pages: Sequence[Page], settings: Settings) -> Lines:
    """Compute the evidence and the weights of the lines of some pages."""
    evidence = gather([page.text for page in pages], settings.bits)
    sizes = [len(page.labels) for page in pages]
    label = np.array(
        [UNLABELLED if label is None else LABELS.index(label) for page in pages for label in page.labels],
        dtype=np.int64,
    )
    frequency = np.bincount(label[label >= 0], minlength=len(LABELS)) / max(len(label), 1)
    size = np.repeat(sizes, sizes)
    weight = np.maximum(frequency, 1e-6)[label] ** -settings.rarity * size**-settings.crowding
    weight[label == UNLABELLED] = 0.0
    trust = {SYNTHETIC: settings.synthetic_weight, SEEDS.name: settings.seed_weight}
    weight *= np.repeat([trust.get(page.corpus, 1.0) for page in pages], sizes)
    return Lines(list(pages), evidence, label, np.repeat([page.fold for page in pages], sizes), weight / weight.mean())

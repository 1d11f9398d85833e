"""Labels for pages that nobody has read, by a teacher that sees more than the model will.

The teacher is trained like the model on the labelled pages, but sees the names of the HTML elements too. On a page
of WCXB it also knows which lines belong to the text to keep. Both together give each line its likeliest label; with
those the model is trained on twice as many pages (self-training with privileged information).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cleaner.evidence.gather import network_input
from cleaner.evidence.topics import Subjects
from cleaner.model.network import Network, blend, log_softmax
from training.convolution import Examples
from training.lines import LABELS, Lines, Settings, rarity
from training.stages import fit_linear, fit_networks, out_of_fold
from training.structure import PATH_BITS

#: Linear scores beyond this add nothing, as in the library.
_LIMIT = 12.0


def path_matrix(lines: Lines) -> sparse.csr_matrix:
    """The hashed element names around each line, each row of length 1: float32 [lines, 2^PATH_BITS]."""
    rows: list[int] = []
    columns: list[int] = []
    for first, page in zip(lines.evidence.lines.first.tolist(), lines.pages, strict=False):
        for k, path in enumerate(page.paths):
            rows += [first + k] * len(path)
            columns += path
    shape = (len(lines.label), 1 << PATH_BITS)
    matrix = sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
    length = np.sqrt(np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1))
    return (sparse.diags((1 / length).astype(np.float32)) @ matrix).tocsr()


def with_paths(matrix: sparse.csr_matrix, lines: Lines) -> sparse.csr_matrix:
    """What only the teacher of a text model sees: n-gram counts and the names of elements."""
    return sparse.hstack([matrix, path_matrix(lines)]).tocsr()


def teach(lines: Lines, seen: sparse.csr_matrix, subjects: Subjects | None, settings: Settings) -> NDArray[np.int64]:
    """The labels of all lines, those of unread pages by the teacher.

    Args:
        lines: labelled and unlabelled lines.
        seen: their n-gram counts, and the names of the elements around them.
        subjects: what they are about, for a network that looks at the lines around.
        settings: the choices of the run.

    Returns:
        int64 [lines]: the labels as they are, and one for each line that nobody labelled but WCXB judges.
    """
    unread, read = lines.unread, lines.label >= 0
    label = lines.label.copy()
    if not unread.any():
        return label
    quick = dataclasses.replace(settings, networks=1, epochs=settings.teacher_epochs)
    weight = lines.weight * rarity(lines.label, settings)

    def one(fold: int) -> NDArray[np.float64]:
        train, held = lines.full & read & (lines.fold != fold), lines.fold == fold
        coefficient, bias = fit_linear(seen[train], lines.label[train], weight[train], quick)
        return log_softmax(np.clip(seen[held] @ coefficient + bias, -_LIMIT, _LIMIT))

    own = out_of_fold(lines.fold, one)
    features, evidence = network_input(lines.evidence, own, np.zeros_like(own), subjects), lines.evidence
    rows = read & ~lines.made
    nothing = np.zeros(len(label))
    examples = Examples(features, evidence.lines.first, label, weight * rows, nothing > 0, nothing)
    network = Network.from_arrays(fit_networks(examples, quick))
    scores = blend(network.logits(features, evidence.place)[unread], own[unread], settings.own_share)
    label[unread] = (scores + np.log(content_rates(lines))[:, lines.in_content[unread]].T).argmax(axis=1)
    return label


def content_rates(lines: Lines) -> NDArray[np.float64]:
    """How often lines of each label are not, and are, part of WCXB's text to keep: [labels, 2]."""
    both = (lines.label >= 0) & (lines.in_content >= 0) & ~lines.made
    count = np.ones((len(LABELS), 2))
    np.add.at(count, (lines.label[both], lines.in_content[both]), 1)
    rates: NDArray[np.float64] = count / count.sum(axis=1, keepdims=True)
    return rates

"""Word vectors and rarities, learned from which words stand together on the pages of a training run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from training.lines import Lines, Settings
from training.stages import line_of_each

#: Only lines of so many words and more are read: what is shorter is seldom a sentence.
_FEWEST_WORDS = 6
#: Only words of so many bytes and more, and of so many pages, have a vector.
_SHORTEST, _FEWEST_PAGES = 3, 3
#: A rarity of 1, in natural logarithms.
_RARITY_SCALE = 1 / 24
_LARGEST_RARITY = 255
#: The length of the vector of the rarest word, which hardly ever lies along one dimension; and its largest number.
_SPREAD, _LARGEST_WEIGHT = 190, 127


def fit_topics(lines: Lines, some: NDArray[np.bool_], settings: Settings) -> dict[str, NDArray[Any]]:
    """Latent semantic analysis of pages: which words stand on one page, and on one line.

    What vectors have in common says nothing and drowns what they differ in: it is taken off (Mu and Viswanath 2018,
    All-but-the-Top, arXiv 1702.01417). The rarer a word, the longer its vector.

    Args:
        lines: of pages.
        some: bool [lines], which are read.
        settings: the choices of the run.

    Returns:
        `topic_weight`, int8 [2^topic_bits, topics], and `word_rarity`, uint8 [2^topic_bits].
    """
    words = lines.evidence.grams[1]
    line, bucket = line_of_each(words)
    use = (words.length >= _SHORTEST) & some[line] & (words.count[line] >= _FEWEST_WORDS)
    line, bucket = line[use], bucket[use] >> (words.bits - settings.topic_bits)
    page, size = lines.page[line], 1 << settings.topic_bits

    on_page = np.unique(page.astype(np.int64) * size + bucket)
    pages = np.bincount(on_page % size, minlength=size)
    rarity = np.log(max(len(np.unique(page)), 1) / np.maximum(pages, 1))
    rows = np.unique(np.concatenate([page, line + lines.page.max(initial=0) + 1]), return_inverse=True)[1]
    counts = sparse.csr_matrix(
        (np.ones(len(rows), dtype=np.float32), (rows, np.tile(bucket, 2))), shape=(rows.max(initial=0) + 1, size)
    )
    counts.sum_duplicates()
    counts.data = 1 + np.log(counts.data)
    known = pages >= _FEWEST_PAGES
    counts = counts @ sparse.diags((rarity * known).astype(np.float32))
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    counts = sparse.diags((1 / np.maximum(length, 1e-6)).astype(np.float32)) @ counts
    weight = np.zeros((size, settings.topics), dtype=np.int8)
    dimensions = min(1 + settings.topics, *(side - 1 for side in counts.shape))
    if counts.count_nonzero():
        # the first dimension is what all words have in common: it would make every line like every other
        found = TruncatedSVD(dimensions, n_iter=4, random_state=settings.seed).fit(counts).components_[1:].T
        found = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)
        found = found - np.average(found, axis=0, weights=pages * known)
        scaled = _SPREAD * found * (known * np.sqrt(rarity / rarity.max()))[:, None]
        weight[:, : dimensions - 1] = np.clip(np.rint(scaled), -_LARGEST_WEIGHT, _LARGEST_WEIGHT)
    return {
        "topic_weight": weight,
        "word_rarity": np.clip(np.rint(rarity / _RARITY_SCALE), 0, _LARGEST_RARITY).astype(np.uint8),
    }

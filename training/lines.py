"""The lines of labelled pages as training data, and the choices of a training run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence.gather import Evidence, gather, gather_pages
from cleaner.evidence.topics import DIMENSIONS
from cleaner.records import Label
from training.corpora import FULL, HTML, SEEDS, Page
from training.html import HtmlPage
from training.synthetic import INSERT_WEIGHTS, SYNTHETIC

LABELS = list(Label)
UNLABELLED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices of a training run; they were found by cross-validation by host on the labelled pages.

    Attributes:
        bits: logarithm of the number of n-gram buckets.
        neighbour_bits: the same for the words of a line's neighbours.
        place_bits: the same for the names of the elements around a line of HTML.
        copies: synthetic pages made of each real one.
        synthetic_weight: what a line of a synthetic page weighs beside one of a labelled page.
        unread_weight: what a line that the teacher labelled weighs for the network beside one that a reader did.
        seed_weight: what a line of a seed weighs beside one of a labelled page.
        alpha: strength of the linear model's L2 penalty.
        epochs: passes of the linear model over its lines.
        unaveraged_epochs: passes before the first step whose weights count in the mean that is taken.
        teacher_epochs: passes of the teacher's linear model.
        rare_grams: how much more a rare n-gram of a line counts for the linear model, see `fit_linear`.
        topics: dimensions of the vectors that say what a word is about, `DIMENSIONS`; 0 for a model without.
        topic_bits: logarithm of the number of buckets of such words.
        hidden: units of the network.
        dilations: how many lines away each further layer of the network looks; none for a network that sees one line
            at a time.
        dropout: the share of hidden units left out in each step of training a network that has such layers, and half of
            that of its inputs.
        decay: how strongly the weights of a network with such layers are pulled towards 0 in each step, beside the
            gradient (Loshchilov 2017, arXiv 1711.05101); strength of the L2 penalty of one that has none.
        networks: how many of these are averaged.
        fast_networks: the same where time counts, for pages without trafilatura's verdicts.
        own_share: the say of the linear model in the final score.
        content_share: the say of what learns which lines WCXB keeps, in how likely a line is body.
        batch: lines in one step of the network's training.
        passes: passes of the network over its lines.
        rarity: a label's lines weigh its frequency to the power of minus this.
        crowding: a page's lines weigh their number to the power of minus this.
        seed: of every generator.
    """

    bits: int = 18
    neighbour_bits: int = 16
    place_bits: int = 16
    copies: int = 3
    synthetic_weight: float = 0.8
    unread_weight: float = 0.3
    seed_weight: float = 25.0
    alpha: float = 2e-6
    epochs: int = 8
    unaveraged_epochs: int = 3
    teacher_epochs: int = 8
    rare_grams: float = 0.75
    topics: int = DIMENSIONS
    topic_bits: int = 16
    hidden: int = 96
    dilations: tuple[int, ...] = (1, 2, 4)
    dropout: float = 0.2
    decay: float = 0.05
    networks: int = 2
    fast_networks: int = 1
    own_share: float = 0.1
    content_share: float = 0.4
    batch: int = 1024
    passes: int = 12
    rarity: float = 0.15
    crowding: float = 0.2
    seed: int = 0


#: For pages of HTML: as many lines are judged by WCXB as by readers, and both have their say.
HTML_SETTINGS = Settings(
    epochs=4,
    unaveraged_epochs=0,
    teacher_epochs=3,
    rare_grams=0.0,
    topics=0,
    hidden=64,
    dilations=(),
    decay=1e-3,
    networks=3,
    own_share=0.2,
    content_share=0.5,
    passes=5,
)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The lines of many pages as training data.

    Attributes:
        pages: the pages, in order.
        evidence: what is known of their lines.
        label: int64 [lines], index into `LABELS`, or `UNLABELLED`.
        in_content: int64 [lines], whether WCXB's text to keep holds the line: 1, 0, or -1 where nobody says.
        fold: int64 [lines].
        page: int64 [lines], the index of the line's page.
        weight: float64 [lines], what a line weighs in training, whatever its label's frequency.
    """

    pages: list[Page]
    evidence: Evidence
    label: NDArray[np.int64]
    in_content: NDArray[np.int64]
    fold: NDArray[np.int64]
    page: NDArray[np.int64]
    weight: NDArray[np.float64]

    @property
    def made(self) -> NDArray[np.bool_]:
        """Which lines are of synthetic pages."""
        return self._where([page.corpus == SYNTHETIC for page in self.pages])

    @property
    def full(self) -> NDArray[np.bool_]:
        """Which lines are of real pages, written down whole."""
        return self._where([page.corpus != SYNTHETIC and page.style in (FULL, HTML) for page in self.pages])

    @property
    def unread(self) -> NDArray[np.bool_]:
        """Which lines no reader labelled but WCXB judges."""
        unread: NDArray[np.bool_] = (self.label == UNLABELLED) & (self.in_content >= 0)
        return unread

    @property
    def words(self) -> NDArray[np.int64]:
        """How many words each line has."""
        return self.evidence.grams[1].count

    def _where(self, truth: Sequence[bool]) -> NDArray[np.bool_]:
        where: NDArray[np.bool_] = np.array(truth, dtype=bool)[self.page]
        return where


def rarity(label: NDArray[np.int64], settings: Settings) -> NDArray[np.float64]:
    """Weights of lines by how rare their label is; 0 for lines without one."""
    frequency = np.bincount(label[label >= 0], minlength=len(LABELS)) / max(int((label >= 0).sum()), 1)
    weight: NDArray[np.float64] = np.maximum(frequency, 1e-6)[label] ** -settings.rarity
    return np.where(label >= 0, weight, 0.0)


def training_lines(pages: Sequence[Page], settings: Settings) -> Lines:
    """Compute the evidence and the weights of the lines of some pages."""
    return lines_with(gather([page.text for page in pages], settings.bits), pages, settings)


def html_lines(pages: Sequence[HtmlPage], settings: Settings) -> Lines:
    """The same for pages of HTML."""
    evidence = gather_pages(
        [page.markup for page in pages], [page.verdict for page in pages], settings.bits, settings.place_bits
    )
    return lines_with(evidence, [page.page for page in pages], settings)


def lines_with(evidence: Evidence, pages: Sequence[Page], settings: Settings) -> Lines:
    """The lines of some pages whose evidence is known."""
    sizes = [len(page.labels) for page in pages]
    label = np.array(
        [UNLABELLED if label is None else LABELS.index(label) for page in pages for label in page.labels],
        dtype=np.int64,
    )
    told = [
        -1 if is_in is None else int(is_in) for page in pages for is_in in page.in_content or (None,) * len(page.labels)
    ]
    trust = {SYNTHETIC: settings.synthetic_weight, SEEDS.name: settings.seed_weight}
    weight = np.array([trust.get(page.corpus, 1.0) * len(page.labels) ** -settings.crowding for page in pages])
    put_in = [INSERT_WEIGHTS[how] for page in pages for how in page.inserted or ("",) * len(page.labels)]
    return Lines(
        list(pages),
        evidence,
        label,
        np.array(told, dtype=np.int64),
        np.repeat([page.fold for page in pages], sizes),
        np.repeat(np.arange(len(pages)), sizes),
        np.repeat(weight, sizes) * put_in,
    )

"""All that is known of the lines of a batch before the network sees them, gathered from the modules beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence.blocks import block_features
from cleaner.evidence.cohesion import cohesion_features
from cleaner.evidence.compact import CompactLines, compact
from cleaner.evidence.context import context_features
from cleaner.evidence.heuristics import Verdict
from cleaner.evidence.ngrams import Grams, Words, hash_lines
from cleaner.evidence.shape import LARGEST, shape_features
from cleaner.evidence.structure import Structure, path_grams, structure_features, structure_of
from cleaner.evidence.topics import Subjects, topic_features
from cleaner.evidence.verdicts import verdict_features
from cleaner.records import Label
from cleaner.segment.html import Page
from cleaner.segment.plain import LineTable, split

_BODY = tuple(Label).index(Label.BODY)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that is known of the lines of a batch before the network sees them."""

    lines: LineTable
    compacted: CompactLines
    grams: tuple[Grams, Words]
    shape: NDArray[np.int8]
    markup: Markup | None = None

    @property
    def place(self) -> NDArray[np.int64]:
        """Each line's place in its document, from 0."""
        return np.arange(len(self.lines)) - self.lines.first[self.lines.document]


@dataclass(frozen=True, slots=True, eq=False)
class Markup:
    """What the HTML adds to what is known of the lines of a batch.

    Attributes:
        structure: of the pages.
        places: the hashed names of the elements around lines, and `place` the one of each line.
        place: int64 [lines].
        kept, comment: int8 [lines], trafilatura's verdict; None where it was not asked.
    """

    structure: Structure
    places: Grams
    place: NDArray[np.int64]
    kept: NDArray[np.int8] | None = None
    comment: NDArray[np.int8] | None = None


def gather(texts: Sequence[str], bits: int) -> Evidence:
    """Split texts into lines and compute what does not need a model.

    Args:
        texts: a batch of documents.
        bits: the logarithm of the number of n-gram buckets.
    """
    return gather_lines(split(texts), bits)


def gather_lines(lines: LineTable, bits: int) -> Evidence:
    """The same of lines that are split already."""
    compacted = compact(lines)
    grams = hash_lines(compacted, bits)
    return Evidence(lines, compacted, grams, shape_features(lines, compacted, grams))


def gather_pages(pages: Sequence[Page], verdicts: Sequence[Verdict] | None, bits: int, place_bits: int) -> Evidence:
    """The same for pages of HTML.

    Args:
        pages: a batch of documents.
        verdicts: trafilatura's on each, or None.
        bits: the logarithm of the number of n-gram buckets.
        place_bits: the same for the names of elements.
    """
    evidence = gather([page.text for page in pages], bits)
    structure = structure_of(pages, bits)
    markup = Markup(structure, *path_grams(structure, place_bits))
    if verdicts is not None:
        kept, comment = (np.concatenate(each) for each in zip(*((v.kept, v.comment) for v in verdicts), strict=True))
        markup = replace(markup, kept=kept, comment=comment)
    return replace(evidence, markup=markup)


def beside(lines: LineTable) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each line of a batch has one before it, and one after it, in its document: bool [lines] each."""
    here = np.arange(len(lines))
    return here > lines.first[lines.document], here + 1 < lines.first[lines.document + 1]


def network_input(
    evidence: Evidence, own: NDArray[np.float64], near: NDArray[np.float64], subjects: Subjects | None
) -> NDArray[np.int8]:
    """The network's features, int8 [lines, features].

    Args:
        evidence: of the lines.
        own: [lines, labels], log-probabilities by each line's own words.
        near: [lines, labels], log-probabilities by the words of its neighbours.
        subjects: what the lines are about, for a network that looks at the lines around by itself; None for one that
            sees one line at a time.
    """
    words = evidence.grams[1]
    probability = np.rint(LARGEST * np.exp(own)).astype(np.int32)
    around = context_features(
        evidence.lines, own, near, probability, evidence.shape, words.count, windows=subjects is None
    )
    body = probability[:, _BODY]
    cohesion = cohesion_features(evidence.lines, words, body, None if subjects is None else subjects.rarity)
    blocks = block_features(evidence.lines, body, words.count)
    parts = [evidence.shape, around, cohesion, blocks]
    if subjects is not None:
        parts.append(topic_features(evidence.lines, subjects.vector, body, words.count))
    if markup := evidence.markup:
        parts.append(structure_features(evidence.lines, markup.structure, words, probability))
        if markup.kept is not None and markup.comment is not None:
            parts.append(verdict_features(evidence.lines, markup.kept, markup.comment, words.count))
    return np.concatenate(parts, axis=1)

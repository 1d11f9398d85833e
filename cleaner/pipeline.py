"""The rooms wired together: texts in, labelled documents or clean texts out."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleaner import render, residue
from cleaner.config import Config
from cleaner.decide import LABELS, Decisions, decide, least_score, rules
from cleaner.errors import InputError
from cleaner.evidence.blocks import block_features
from cleaner.evidence.cohesion import cohesion_features
from cleaner.evidence.compact import CompactLines, compact
from cleaner.evidence.context import context_features
from cleaner.evidence.ngrams import Grams, Words, hash_lines
from cleaner.evidence.shape import LARGEST, shape_features
from cleaner.model import store
from cleaner.model.network import blend
from cleaner.records import Cut, Document, Label, Line
from cleaner.segment.plain import LineTable, split

#: Documents are worked on together until they hold this many characters: enough to drown the cost of a
#: numpy call, little enough to stay in a processor's cache and to bound memory.
_BATCH_CHARACTERS = 500_000


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that is known of the lines of a batch before the network sees them."""

    lines: LineTable
    compacted: CompactLines
    grams: tuple[Grams, Words]
    shape: NDArray[np.int8]


def gather(texts: Sequence[str], bits: int) -> Evidence:
    """Split texts into lines and compute what does not need a model.

    Args:
        texts: a batch of documents.
        bits: the logarithm of the number of n-gram buckets.
    """
    lines = split(texts)
    compacted = compact(lines)
    grams = hash_lines(compacted, bits)
    return Evidence(lines, compacted, grams, shape_features(lines, compacted, grams))


def beside(lines: LineTable) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each line of a batch has one before it, and one after it, in its document: bool [lines] each."""
    here = np.arange(len(lines))
    return here > lines.first[lines.document], here + 1 < lines.first[lines.document + 1]


def network_input(evidence: Evidence, own: NDArray[np.float64], near: NDArray[np.float64]) -> NDArray[np.int8]:
    """The network's features, int8 [lines, features].

    Args:
        evidence: of the lines.
        own: [lines, labels], log-probabilities by each line's own words.
        near: [lines, labels], log-probabilities by the words of its neighbours.
    """
    words = evidence.grams[1]
    probability = np.rint(LARGEST * np.exp(own)).astype(np.int32)
    around = context_features(evidence.lines, own, near, probability, evidence.shape, words.count)
    body = probability[:, LABELS.index(Label.BODY)]
    cohesion = cohesion_features(evidence.lines, words, body)
    blocks = block_features(evidence.lines, body, words.count)
    return np.concatenate([evidence.shape, around, cohesion, blocks], axis=1)


class Cleaner:
    """Labels and cleans texts; holds one loaded model and no other state.

    It may be shared between threads, and pickled to other processes.

    Args:
        config: what to keep; the default keeps body and title.
        model: the name of a model that ships with the library, the path of a model folder, or a loaded model.

    Raises:
        ModelError: if the model is missing, altered, or made for another version.
        ConfigError: if the model cannot promise the loss of body that the configuration allows.
    """

    __slots__ = ("_config", "_min_score", "_model")

    def __init__(self, *, config: Config | None = None, model: str | Path | store.Model = store.DEFAULT) -> None:
        self._config = config or Config()
        self._model = model if isinstance(model, store.Model) else store.load(model)
        self._min_score = least_score(self._config, self._model.thresholds, self._model.max_body_loss)

    @property
    def config(self) -> Config:
        """What this cleaner keeps."""
        return self._config

    @property
    def min_score(self) -> float:
        """The least probability of the kept labels together with which the model keeps a line."""
        return self._min_score

    @property
    def model(self) -> store.Model:
        """The model this cleaner asks."""
        return self._model

    def clean(self, text: str) -> str:
        """The part of a text that its author wrote.

        Args:
            text: a plain text dump of a web page.

        Raises:
            InputError: if it is not a str.
        """
        return self.clean_many([text])[0]

    def label(self, text: str) -> Document:
        """Every non-empty line of a text with its label and the reason for it."""
        return self.label_many([text])[0]

    def clean_many(self, texts: Iterable[str]) -> list[str]:
        """Clean many texts at once, which is far faster than one after the other."""
        return [
            render.join(text, self._kept_spans(text, batch, k))
            for batch in self._batches(texts)
            for k, text in enumerate(batch.texts)
        ]

    def label_many(self, texts: Iterable[str]) -> list[Document]:
        """Label many texts at once, which is far faster than one after the other."""
        return [self._document(text, batch, k) for batch in self._batches(texts) for k, text in enumerate(batch.texts)]

    def _batches(self, texts: Iterable[str]) -> Iterator[_Batch]:
        for group in _grouped(texts):
            evidence = gather(group, self._model.linear.bits)
            own = self._model.linear.log_probabilities(evidence.grams)
            near = self._model.neighbours.log_probabilities(evidence.grams[1], *beside(evidence.lines))
            around = self._model.network.logits(network_input(evidence, own, near))
            decisions = decide(
                evidence.lines,
                np.exp(blend(around, own, self._model.own_share)),
                np.exp(own),
                self._config.keep,
                self._min_score,
                rules(evidence.compacted, evidence.grams[1]),
                evidence.grams[1].count,
            )
            seams = residue.candidates(evidence.compacted, evidence.grams[0])
            cuts: list[dict[int, tuple[Cut, ...]]] = [{} for _ in group]
            for i in seams[decisions.kept[seams]].tolist():
                k = int(evidence.lines.document[i])
                start, end = int(evidence.lines.char_start[i]), int(evidence.lines.char_end[i])
                if found := residue.cuts_in(group[k], start, end):
                    cuts[k][i - int(evidence.lines.first[k])] = found
            yield _Batch(group, evidence.lines, decisions, cuts)

    def _kept_spans(self, text: str, batch: _Batch, k: int) -> list[render.Span]:
        a, b = batch.lines.first[k], batch.lines.first[k + 1]
        return render.kept_spans(
            text,
            batch.lines.char_start[a:b].tolist(),
            batch.lines.char_end[a:b].tolist(),
            batch.decisions.kept[a:b].tolist(),
            {line: [(cut.start, cut.end) for cut in found] for line, found in batch.cuts[k].items()},
        )

    def _document(self, text: str, batch: _Batch, k: int) -> Document:
        a, b = batch.lines.first[k], batch.lines.first[k + 1]
        spans = zip(batch.lines.char_start[a:b].tolist(), batch.lines.char_end[a:b].tolist(), strict=True)
        lines = tuple(
            Line(
                number=number,
                start=start,
                end=end,
                text=text[start:end],
                label=LABELS[batch.decisions.label[i]],
                score=float(batch.decisions.score[i]),
                decided_by=batch.decisions.who(i),
                reason=batch.decisions.why(i),
                cuts=batch.cuts[k].get(number - 1, ()),
            )
            for number, (i, (start, end)) in enumerate(zip(range(a, b), spans, strict=True), start=1)
        )
        return Document(text, lines, self._config.keep)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    texts: list[str]
    lines: LineTable
    decisions: Decisions
    cuts: list[dict[int, tuple[Cut, ...]]]  # for each document, by the line's place in it


def _grouped(texts: Iterable[str]) -> Iterator[list[str]]:
    if isinstance(texts, str):
        raise InputError("many texts are wanted and one str was given; pass a list of texts, or use the call for one.")
    group: list[str] = []
    size = 0
    for text in texts:
        if not isinstance(text, str):
            raise InputError(
                f"a text must be str, not {type(text).__name__}; decode bytes first, for instance with "
                "cleaner.segment.decode.decode, which finds the encoding."
            )
        group.append(text)
        size += len(text) + 1
        if size >= _BATCH_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group


@functools.cache
def _default() -> Cleaner:
    """The cleaner behind `clean` and `label`: made on first use, and immutable."""
    return Cleaner()


def clean(text: str) -> str:
    """The part of a text dump that its author wrote, with the default model and settings.

    Args:
        text: a plain text dump of a web page.
    """
    return _default().clean(text)


def label(text: str) -> Document:
    """Every non-empty line of a text dump with its label and the reason for it.

    Args:
        text: a plain text dump of a web page.
    """
    return _default().label(text)

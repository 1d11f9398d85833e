"""Scores become labels: pure functions that say what a line is, who decided it, and why.

A line is kept when the model's probability for the kept labels together reaches a threshold. Its label is
then the likeliest of the kept ones, or else the likeliest of the others: label and decision never disagree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops
from cleaner.config import Config
from cleaner.errors import ConfigError
from cleaner.evidence.context import running
from cleaner.evidence.repeats import Repeated
from cleaner.records import DecidedBy, Label
from cleaner.rules import NO_RULE, RULES
from cleaner.segment.plain import LineTable

LABELS = tuple(Label)

#: A line that holds this share of its document's words has no surroundings to be told apart from.
_WHOLE = 0.9
#: Such a line is a whole page in one line, whatever it seems to be, from this many words on ...
_PAGE_WORDS = 50
#: ... and below that it stays unless the model is sure that it is boilerplate, as what signs a letter does.
_SURE_SCORE = 0.1
#: Why a line stays against the model.
_GUARDS = (
    "without it nothing would be left of the document",
    "signs what stands above it",
)
_WHOLE_DOCUMENT, _SIGNATURE = range(len(_GUARDS))
_NO_GUARD = -1


def whole_documents(lines: LineTable, words: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which lines of a batch are (all but) their whole document: to remove one would leave nothing.

    Args:
        lines: the batch.
        words: int64 [lines], how many words each line has.
    """
    before = running(words)
    total = before[lines.first[1:]] - before[lines.first[:-1]]
    whole: NDArray[np.bool_] = words >= np.maximum(_WHOLE * total[lines.document], 1)
    return whole


def least_score(config: Config, thresholds: Mapping[str, Sequence[tuple[float, float]]], default_loss: float) -> float:
    """The threshold that a configuration asks for.

    A promise made for fewer kept labels holds for more of them: their probability together is only larger.

    Args:
        config: the caller's choices.
        thresholds: for sets of kept labels, named as "body+title", pairs (loss, threshold), both rising.
        default_loss: the loss of body words that is allowed where the caller says nothing.

    Raises:
        ConfigError: if the model makes no promise for the loss asked for.
    """
    if config.min_score is not None:
        return config.min_score
    held = [name for name in thresholds if {Label(label) for label in name.split("+")} <= config.keep]
    # where body is not kept no body can be lost: the threshold is the one for body, a plain choice
    pairs = thresholds[max(held, key=len) if held else min(thresholds, key=len)]
    losses, scores = zip(*pairs, strict=True)
    loss = default_loss if config.max_body_loss is None else config.max_body_loss
    if not losses[0] <= loss <= losses[-1]:
        raise ConfigError(f"max_body_loss is {loss:g}; the model can promise {losses[0]:g} to {losses[-1]:g}.")
    return float(np.interp(loss, losses, scores))


#: A document counts as surely told apart from this expected F1 on.
_SURE_F1 = 0.95
#: However little is sure, not less than the square of this is asked of a line beside a sure document: of boilerplate
#: alone nothing should stay.
_LEAST_SURE = 0.5
_SCORE_STEPS = 10_000


def sureness(lines: LineTable, score: NDArray[np.float64], words: NDArray[np.int64]) -> NDArray[np.float64]:
    """How surely the model tells each document's kept words from the others: [documents], from 1/4 to 1.

    The best expected word F1 that any cut of the document has under the scores, squared. To maximise F1, a document
    should be cut at half the F1 it can reach (Lipton, Elkan and Naryanaswamy 2014, arXiv 1402.1892): where little is
    sure, less is asked of a line. Whole numbers throughout, so that the batch does not matter.

    Args:
        lines: the batch.
        score: [lines], the probability of being kept, to four places.
        words: int64 [lines].
    """
    sure = np.ones(len(lines.first) - 1)
    filled = np.flatnonzero(lines.first[1:] > lines.first[:-1])
    if not len(filled):
        return sure
    steps, some = np.rint(score * _SCORE_STEPS).astype(np.int64), np.maximum(words, 1)
    if (fast := loops("decide", len(lines))) is not None:
        best = fast.best_f1(steps, some, lines.first, _SCORE_STEPS)[filled]
        sure[filled] = np.clip(best / _SURE_F1, _LEAST_SURE, 1.0) ** 2
        return sure
    order = np.lexsort((-steps, lines.document))
    begin = lines.first[filled]
    expected, some = (steps * some)[order], some[order]  # documents stay where they are, so their sums do too
    wanted, taken = np.cumsum(expected), np.cumsum(some)
    low = lines.first[lines.document]
    wanted_before, taken_before = (wanted - expected)[low], (taken - some)[low]
    every = np.repeat(np.add.reduceat(expected, begin), np.diff(np.append(begin, len(lines))))
    f1 = 2 * (wanted - wanted_before) / np.maximum(_SCORE_STEPS * (taken - taken_before) + every, 1)
    best = np.maximum.reduceat(f1, begin)
    sure[filled] = np.clip(best / _SURE_F1, _LEAST_SURE, 1.0) ** 2
    return sure


#: A line is held to be of its site's template if it stands in so many documents and in such a share of them ...
_FEWEST_DOCUMENTS, _LEAST_SHARE = 3, 0.1
#: ... and its score, here or in the mean over all of them, is lower than this where hardly any has it ...
_TEMPLATE_SCORE = 0.5
#: ... and where all have it, than 1 less this, over the square of how many those are: .9 for three, .99 for ten.
_SURE_TEXT = 0.9
#: A line of fewer words repeats where its site is about one thing: the names of a product's properties do, and so do
#: prices, as digits count as equal. Such a line must score low both here and in the mean, the lower the rarer it is;
#: but for the short ones that this share of the documents begins or ends with.
_SHORT_LINE, _WEAK_SCORE, _EDGE_SHARE = 6, 0.4, 0.5


def is_template(
    lines: LineTable, repeated: Repeated, score: NDArray[np.float64], words: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which lines a site repeats because its template has them: bool [lines].

    Repetition alone does not tell: a refrain, a quoted law or a dateline repeats too. So the model's own score counts,
    and the more so the rarer the line is and the fewer documents are known; and of a line that stands in a document
    more often than its site has it, the copies that read most like text are not the template's.

    Args:
        lines: the batch.
        repeated: what a site profile knows of them.
        score: [lines], the probability of being kept.
        words: [lines], how many words each line has.
    """
    share = repeated.near / np.maximum(repeated.of, 1)
    often = (repeated.near >= _FEWEST_DOCUMENTS) & (share >= _LEAST_SHARE)
    low, high = _TEMPLATE_SCORE, 1 - _SURE_TEXT / np.maximum(repeated.near, 1) ** 2
    weak = ((words < _SHORT_LINE) & (repeated.edge < _EDGE_SHARE * repeated.of)) | repeated.has_digits
    is_low = np.where(
        weak,
        np.maximum(repeated.score, score) < _WEAK_SCORE * share,
        np.minimum(repeated.score, score) < low + (high - low) * share,
    )
    template: NDArray[np.bool_] = often & is_low
    order = np.lexsort((score, repeated.key, lines.document))
    key, document = repeated.key[order], lines.document[order]
    begins = np.append(True, (key[1:] != key[:-1]) | (document[1:] != document[:-1]))[: len(order)]
    copy = np.empty(len(order), dtype=np.int64)
    copy[order] = np.arange(len(order)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    return template & (copy < repeated.usual)


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """What was decided on the lines of a batch.

    Attributes:
        label: int8 [lines], index into `LABELS`.
        kept: bool [lines], whether that label is one of the kept ones.
        score: float64 [lines], the model's probability of the kept labels together, to four places.
        own: float64 [lines], the same by the line's own words alone.
        rule: int8 [lines], the rule that decided, or -1.
        guard: int8 [lines], why a line is kept against the model, or -1.
        asked: the threshold in a document that the model is sure of.
        min_score: float64 [lines], the threshold that each score was held against.
        repeated: what the site profile knows of the lines, or None without one.
        profiled: bool [lines], whether a line is taken out against the model because its site repeats it.
    """

    label: NDArray[np.int8]
    kept: NDArray[np.bool_]
    score: NDArray[np.float64]
    own: NDArray[np.float64]
    rule: NDArray[np.int8]
    guard: NDArray[np.int8]
    asked: float
    min_score: NDArray[np.float64]
    repeated: Repeated | None
    profiled: NDArray[np.bool_]

    def take(self, lines: NDArray[np.int64]) -> Decisions:
        """The decisions on some lines, in the order given."""
        repeated = self.repeated
        if repeated is not None:
            columns = {field.name: getattr(repeated, field.name)[lines] for field in dataclasses.fields(repeated)}
            repeated = Repeated(**columns)
        return Decisions(
            self.label[lines],
            self.kept[lines],
            self.score[lines],
            self.own[lines],
            self.rule[lines],
            self.guard[lines],
            self.asked,
            self.min_score[lines],
            repeated,
            self.profiled[lines],
        )

    def who(self, line: int) -> DecidedBy:
        """Who had the last word on a line."""
        if self.guard[line] != _NO_GUARD:
            return DecidedBy.GUARD
        if self.profiled[line]:
            return DecidedBy.PROFILE
        return DecidedBy.MODEL if self.rule[line] == NO_RULE else DecidedBy.RULE

    def why(self, line: int) -> str:
        """The reason for a line's label, in words."""
        if self.guard[line] != _NO_GUARD:
            return _GUARDS[self.guard[line]]
        if self.profiled[line] and self.repeated is not None:
            return f"stands in {self.repeated.documents[line]:,} of {self.repeated.of[line]:,} documents of its site"
        if self.rule[line] != NO_RULE:
            return RULES[int(self.rule[line])][0]
        what = "kept text" if self.kept[line] else LABELS[self.label[line]].value
        if self.kept[line] and self.score[line] < self.asked:
            return "may well be kept text, and the document leaves little surer"
        alone = (self.own[line] >= self.min_score[line]) == self.kept[line]
        return f"reads like {what}" if alone else f"reads like {what} where it stands, not by itself"


def decide(
    lines: LineTable,
    probability: NDArray[np.float64],
    own_probability: NDArray[np.float64],
    keep: frozenset[Label],
    min_score: float,
    rule: NDArray[np.int8],
    words: NDArray[np.int64],
    repeated: Repeated | None = None,
    keep_first: bool = False,
    signed: NDArray[np.bool_] | None = None,
) -> Decisions:
    """Choose a label for every line.

    Args:
        lines: the batch.
        probability: [lines, labels], the model's.
        own_probability: [lines, labels], by the line's own words alone.
        keep: the labels that make up the clean text.
        min_score: the least probability of those labels together with which a line is kept, in a document that the
            model is sure of; less by its `sureness` in others.
        rule: [lines], from `rules`.
        words: [lines], how many words each line has.
        repeated: what a site profile knows of the lines.
        keep_first: whether a line that is taken out for its repetition stays in one of the documents.
        signed: bool [lines], from `signatures`.
    """
    wanted = np.array([label in keep for label in LABELS])
    score = np.round(probability[:, wanted].sum(axis=1), 4).clip(0.0, 1.0)
    own = np.round(own_probability[:, wanted].sum(axis=1), 4).clip(0.0, 1.0)
    least = (min_score * sureness(lines, score, words))[lines.document]
    kept = score >= least
    whole = whole_documents(lines, words)
    guard = np.full(len(lines), _NO_GUARD, dtype=np.int8)
    if signed is not None and Label.BODY in keep:
        guard[signed & np.roll(kept, 1) & (score >= _SURE_SCORE)] = _SIGNATURE
    guard[whole & ((words >= _PAGE_WORDS) | (score >= _SURE_SCORE))] = _WHOLE_DOCUMENT
    guard[kept | (rule != NO_RULE)] = _NO_GUARD
    profiled = np.zeros(len(lines), dtype=bool)
    if repeated is not None:
        profiled = kept & is_template(lines, repeated, score, words) & (rule == NO_RULE) & ~whole
        if keep_first:
            profiled &= ~repeated.is_first
        kept &= ~profiled
    stays = kept | (guard != _NO_GUARD)
    if (fast := loops("decide", len(lines))) is not None:
        label = fast.likeliest(probability, stays, wanted)
    else:
        eligible = np.where(stays[:, None], wanted, ~wanted)
        label = np.where(eligible, probability, -1.0).argmax(axis=1).astype(np.int8)
    label[guard == _SIGNATURE] = LABELS.index(Label.BODY)
    for index, (_, ruled, _) in enumerate(RULES):
        label[rule == index] = LABELS.index(ruled)
    if repeated is not None:
        label[profiled] = np.where(wanted[repeated.label], label, repeated.label)[profiled]
    return Decisions(label, wanted[label], score, own, rule, guard, min_score, least, repeated, profiled)

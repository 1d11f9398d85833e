"""Scores become labels: pure functions that say what a line is, who decided it, and why.

A line is kept when the model's probability for the kept labels together reaches a threshold. Its label is
then the likeliest of the kept ones, or else the likeliest of the others: label and decision never disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence.compact import CompactLines
from cleaner.records import DecidedBy, Label
from cleaner.segment.plain import LineTable

LABELS = tuple(Label)

#: What stands alone on a line only where a page marks an advertisement, in the languages of the training pages.
#: Folding lowers ASCII letters only, so words with other capitals stand here in both forms.
_AD_MARKERS = (
    "ad", "advert", "advertisement", "advertisements", "advertisement continue reading below",
    "article continues below advertisement", "story continues below advertisement",
    "article continues after advertisement", "story continues after advertisement",
    "anzeige", "publicité", "publicitÉ", "publicidad", "pubblicità", "pubblicitÀ", "publicidade", "advertentie",
    "реклама", "РЕКЛАМА", "Реклама", "広告", "广告", "廣告",
)  # fmt: skip
#: What leads in a pointer to another text when a colon or bar and that text's headline follow on the same line.
_TEASERS = (
    "read more", "read also", "also read", "read next", "must read", "see also", "more on this", "up next",
    "related", "related article", "related articles", "related story", "related stories", "related reading",
    "related post", "related posts", "related coverage", "related video", "related videos", "recommended reading",
    "recommended for you", "don't miss", "don’t miss", "you may also like", "you might also like",
    "watch now", "watch more", "watch next", "lesen sie auch", "mehr zum thema", "siehe auch", "lire aussi",
    "à lire aussi", "leer más", "lea también", "leggi anche", "leia também", "czytaj też", "lees ook",
)  # fmt: skip
_LONGEST_TEASER = 200


def _any_of(words: tuple[str, ...]) -> bytes:
    return b"(?:" + b"|".join(re.escape(word.encode()) for word in words) + b")"


_EDGE = rb"[^a-z0\x80-\xff\n]*"
#: The rules, on the folded bytes of a batch: each match lies within one line and begins where the line begins.
_RULES = (
    ("a bare ad marker", Label.ADVERT, re.compile(rb"(?m)^%s%s%s$" % (_EDGE, _any_of(_AD_MARKERS), _EDGE))),
    (
        "leads in a pointer to another text",
        Label.RECOMMENDED,
        re.compile(
            rb"(?m)^%s%s ?(?:[:|>]|\xc2\xbb|(?:-|\xe2\x80[\x93\x94]) )(?=[^\n]*[a-z0\x80-\xff])[^\n]{1,%d}$"
            % (_EDGE, _any_of(_TEASERS), _LONGEST_TEASER)
        ),
    ),
)
_NO_RULE = -1


def rules(lines: CompactLines) -> NDArray[np.int8]:
    """Which rule each line of a batch falls under: int8 [lines], the rule's index or -1.

    A rule speaks where a line's form leaves no doubt, whatever stands around it.
    """
    found = np.full(len(lines), _NO_RULE, dtype=np.int8)
    text = lines.folded.tobytes()
    for index, (_, _, pattern) in enumerate(_RULES):
        at = np.array([match.start() for match in pattern.finditer(text)], dtype=np.int64)
        found[np.searchsorted(lines.start, at, side="right") - 1] = index
    return found


#: A line that holds this share of its document's words has no surroundings to be told apart from.
_WHOLE = 0.9
#: Such a line is a whole page in one line, whatever it seems to be, from this many words on ...
_PAGE_WORDS = 50
#: ... and below that it stays unless the model is sure that it is boilerplate.
_SURE_SCORE = 0.1


def whole_documents(lines: LineTable, words: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which lines of a batch are (all but) their whole document: to remove one would leave nothing.

    Args:
        lines: the batch.
        words: int64 [lines], how many words each line has.
    """
    before = np.concatenate([[0], np.cumsum(words)])
    total = before[lines.first[1:]] - before[lines.first[:-1]]
    whole: NDArray[np.bool_] = words >= np.maximum(_WHOLE * total[lines.document], 1)
    return whole


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """What was decided on the lines of a batch.

    Attributes:
        label: int8 [lines], index into `LABELS`.
        kept: bool [lines], whether that label is one of the kept ones.
        score: float64 [lines], the model's probability of the kept labels together, to four places.
        own: float64 [lines], the same by the line's own words alone.
        rule: int8 [lines], the rule that decided, or -1.
        guarded: bool [lines], whether a line is kept against the model because it is its whole document.
        min_score: the threshold the model's score was held against.
    """

    label: NDArray[np.int8]
    kept: NDArray[np.bool_]
    score: NDArray[np.float64]
    own: NDArray[np.float64]
    rule: NDArray[np.int8]
    guarded: NDArray[np.bool_]
    min_score: float

    def who(self, line: int) -> DecidedBy:
        """Who had the last word on a line."""
        if self.guarded[line]:
            return DecidedBy.GUARD
        return DecidedBy.MODEL if self.rule[line] == _NO_RULE else DecidedBy.RULE

    def why(self, line: int) -> str:
        """The reason for a line's label, in words."""
        if self.guarded[line]:
            return "without it nothing would be left of the document"
        if self.rule[line] != _NO_RULE:
            return _RULES[self.rule[line]][0]
        what = "kept text" if self.kept[line] else LABELS[self.label[line]].value
        alone = (self.own[line] >= self.min_score) == self.kept[line]
        return f"reads like {what}" if alone else f"reads like {what} where it stands, not by itself"


def decide(
    probability: NDArray[np.float64],
    own_probability: NDArray[np.float64],
    keep: frozenset[Label],
    min_score: float,
    rule: NDArray[np.int8],
    whole: NDArray[np.bool_],
    words: NDArray[np.int64],
) -> Decisions:
    """Choose a label for every line.

    Args:
        probability: [lines, labels], the model's.
        own_probability: [lines, labels], by the line's own words alone.
        keep: the labels that make up the clean text.
        min_score: the least probability of those labels together with which a line is kept.
        rule: [lines], from `rules`.
        whole: [lines], from `whole_documents`.
        words: [lines], how many words each line has.
    """
    wanted = np.array([label in keep for label in LABELS])
    score = np.round(probability[:, wanted].sum(axis=1), 4).clip(0.0, 1.0)
    own = np.round(own_probability[:, wanted].sum(axis=1), 4).clip(0.0, 1.0)
    kept = score >= min_score
    guarded = whole & ~kept & (rule == _NO_RULE) & ((words >= _PAGE_WORDS) | (score >= _SURE_SCORE))
    eligible = np.where((kept | guarded)[:, None], wanted, ~wanted)
    label = np.where(eligible, probability, -1.0).argmax(axis=1).astype(np.int8)
    for index, (_, ruled, _) in enumerate(_RULES):
        label[rule == index] = LABELS.index(ruled)
    return Decisions(label, wanted[label], score, own, rule, guarded, min_score)

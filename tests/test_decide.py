from __future__ import annotations

import numpy as np
import pytest

from cleaner import DecidedBy, Label
from cleaner.decide import LABELS, decide, rules, whole_documents
from cleaner.evidence.compact import compact
from cleaner.segment.plain import split

NO_RULE = np.full(1, -1, dtype=np.int8)
#: One line among others, of ten words.
AMONG_OTHERS = (np.array([False]), np.array([10]))


def _probability(**shares: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rest = (1 - sum(shares.values())) / (len(LABELS) - len(shares))
    return np.array([[shares.get(label.value, rest) for label in LABELS]])


@pytest.mark.parametrize(
    ("shares", "min_score", "label", "score"),
    [
        ({"body": 0.9}, 0.5, Label.BODY, 0.909),
        ({"body": 0.3, "title": 0.25, "navigation": 0.4}, 0.5, Label.BODY, 0.55),
        ({"body": 0.3, "title": 0.25, "navigation": 0.4}, 0.6, Label.NAVIGATION, 0.55),
        ({"body": 0.4, "legal": 0.3}, 0.3, Label.BODY, 0.43),
    ],
)
def test_label_and_decision_never_disagree(
    shares: dict[str, float], min_score: float, label: Label, score: float
) -> None:
    probability = _probability(**shares)
    keep = frozenset({Label.BODY, Label.TITLE})
    decisions = decide(probability, probability, keep, min_score, NO_RULE, *AMONG_OTHERS)
    assert LABELS[decisions.label[0]] is label
    assert decisions.score[0] == pytest.approx(score, abs=1e-3)
    assert decisions.kept[0] == (label in keep)
    assert decisions.who(0) is DecidedBy.MODEL


def test_a_reason_says_when_the_surroundings_decide() -> None:
    keep = frozenset({Label.BODY})
    decisions = decide(_probability(body=0.9), _probability(advert=0.9), keep, 0.5, NO_RULE, *AMONG_OTHERS)
    assert decisions.why(0) == "reads like kept text where it stands, not by itself"


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        *(("ADVERTISEMENT", 0), ("  -- Advertisement --", 0), ("[Ad]", 0), ("Anzeige:", 0), ("PUBLICITÉ", 0)),
        *(("publicité", 0), ("広告", 0), ("Article continues below advertisement", 0)),
        *(("Advertisement for a lost dog", -1), ("The ad", -1), ("ad 5", -1), ("Adrian", -1)),
        *(("READ MORE: Ten ponds to visit", 1), ("Related | Ten ponds", 1), ("See also – Ponds", 1)),
        *(("Lesen Sie auch: Zehn Teiche", 1), ("Read more", -1), ("Read more:", -1), ("Related work: a survey", -1)),
        ("Read more: " + "and a paragraph that goes on " * 12, -1),
    ],
)
def test_rules_speak_only_where_the_form_leaves_no_doubt(line: str, rule: int) -> None:
    table = compact(split([f"Before it.\n{line}\nAfter it."]))
    assert rules(table).tolist() == [-1, rule, -1]


@pytest.mark.parametrize(
    ("body", "words", "kept"), [(0.2, 3, True), (0.2, 300, True), (0.01, 300, True), (0.01, 3, False), (0.9, 3, True)]
)
def test_a_whole_document_in_one_line_is_not_thrown_away(body: float, words: int, kept: bool) -> None:
    probability = _probability(body=body, legal=0.99 - body)
    whole = (np.array([True]), np.array([words]))
    decisions = decide(probability, probability, frozenset({Label.BODY}), 0.5, NO_RULE, *whole)
    assert decisions.kept[0] == kept
    assert decisions.who(0) is (DecidedBy.GUARD if kept and body < 0.5 else DecidedBy.MODEL)


def test_a_line_is_whole_when_it_holds_almost_all_words() -> None:
    lines = split(["one two three", "a b\nc", "a b c d e f g h i j k l m n o p q r s\nt\n", "...", "..\n.."])
    words = np.array([3, 2, 1, 19, 1, 0, 0, 0])
    assert whole_documents(lines, words).tolist() == [True, False, False, True, False, False, False, False]

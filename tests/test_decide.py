from __future__ import annotations

import numpy as np
import pytest

from cleaner import Config, DecidedBy, Label
from cleaner.decide import LABELS, Decisions, decide, least_score, sureness, whole_documents
from cleaner.errors import ConfigError
from cleaner.evidence.compact import compact
from cleaner.evidence.ngrams import hash_lines
from cleaner.rules import rules, signatures
from cleaner.segment.plain import split

NO_RULE = np.full(2, -1, dtype=np.int8)
#: One line of ten words, and another that is surely body and much longer: the document is sure.
TWO_LINES, WORDS = split(["the line\nthe other"]), np.array([10, 1000])


def _probability(**shares: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rest = (1 - sum(shares.values())) / (len(LABELS) - len(shares))
    surely = [1.0 if label is Label.BODY else 0.0 for label in LABELS]
    return np.array([[shares.get(label.value, rest) for label in LABELS], surely])


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
    decisions = decide(TWO_LINES, probability, probability, keep, min_score, NO_RULE, WORDS)
    assert LABELS[decisions.label[0]] is label
    assert decisions.score[0] == pytest.approx(score, abs=1e-3)
    assert decisions.kept[0] == (label in keep)
    assert decisions.who(0) is DecidedBy.MODEL


def test_a_reason_says_when_the_surroundings_decide() -> None:
    keep = frozenset({Label.BODY})
    decisions = decide(TWO_LINES, _probability(body=0.9), _probability(advert=0.9), keep, 0.5, NO_RULE, WORDS)
    assert decisions.why(0) == "reads like kept text where it stands, not by itself"


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        *(("ADVERTISEMENT", 0), ("  -- Advertisement --", 0), ("[Ad]", 0), ("Anzeige:", 0), ("PUBLICITÉ", 0)),
        *(("publicité", 0), ("広告", 0), ("Article continues below advertisement", 0), ("Реклама", 0), ("РЕКЛАМА", 0)),
        *(("Sponsored content", 0), ("【PR】", 0), ("PR", -1), ("Sponsored walks raise money", -1)),
        *(("Advertisement for a lost dog", -1), ("The ad", -1), ("ad 5", -1), ("Adrian", -1)),
        *(("READ MORE: Ten ponds to visit", 1), ("Related | Ten ponds", 1), ("See also – Ponds", 1)),
        *(("Lesen Sie auch: Zehn Teiche", 1), ("Read more", -1), ("Read more:", -1), ("Related work: a survey", -1)),
        ("Read more: " + "and a paragraph that goes on " * 12, -1),
        *(("[PR]", 2), ("[Sponsored] Ten ponds to visit", 2), ("[Ad 79] Pompeii is buried", -1)),
        *(("Related articles", 3), ("YOU MIGHT ALSO LIKE:", 3), ("À LIRE AUSSI", 3), ("À lire aussi", 3)),
        *(("関連記事", 3), ("You’ll also love...", 3), ("- Most read -", 3)),
        *(("See also", -1), ("Related work", -1), ("Most read it twice", -1), ("You may also like ponds", -1)),
    ],
)
def test_rules_speak_only_where_the_form_leaves_no_doubt(line: str, rule: int) -> None:
    table = compact(split([f"Before it.\n{line}\nAfter it."]))
    assert rules(table, hash_lines(table, 18)[1]).tolist() == [-1, rule, -1]


@pytest.mark.parametrize(
    ("body", "words", "kept", "who"),
    [
        (0.9, 3, True, DecidedBy.MODEL),
        (0.2, 3, True, DecidedBy.MODEL),  # nothing in the document is surer, so less is asked
        (0.11, 3, True, DecidedBy.GUARD),
        (0.01, 300, True, DecidedBy.GUARD),
        (0.01, 3, False, DecidedBy.MODEL),
    ],
)
def test_a_whole_document_in_one_line_is_not_thrown_away(body: float, words: int, kept: bool, who: DecidedBy) -> None:
    probability = _probability(body=body, legal=0.99 - body)[:1]
    decisions = decide(
        split(["one line"]), probability, probability, frozenset({Label.BODY}), 0.5, NO_RULE[:1], np.array([words])
    )
    assert decisions.kept[0] == kept
    assert decisions.who(0) is who


@pytest.mark.parametrize(
    ("closing", "signature", "found"),
    [
        *(("With love,", "Marit", True), ("  Yours  sincerely", "Ines Halloran, harbour master", True)),
        *(("Mit freundlichen Grüßen", "Eure Ortsvorsteherin", True), ("KIND REGARDS,", "The committee", True)),
        *(("With love of the sea", "Marit", False), ("Love is blind.", "Marit", False)),
        ("With love,", "Marit asks all of you to come on Friday", False),
    ],
)
def test_under_the_closing_of_a_letter_somebody_signs(closing: str, signature: str, found: bool) -> None:
    lines = split([f"Come in spring.\n{closing}\n{signature}\nMenu", closing, "Marit"])
    table = compact(lines)
    assert signatures(lines, table, hash_lines(table, 18)[1]).tolist() == [False, False, found, *[False] * 3]


def test_a_signature_stays_where_its_closing_does() -> None:
    lines, words = split(["a\nb\nc"]), np.array([30, 2, 1])
    probability = np.zeros((3, len(LABELS)))
    navigation = LABELS.index(Label.NAVIGATION)
    probability[:, 0], probability[:, navigation] = (0.9, 0.8, 0.1), (0.1, 0.2, 0.9)
    rule, signed = np.full(3, -1, np.int8), np.array([False, False, True])

    def decided(keep: frozenset[Label]) -> Decisions:
        return decide(lines, probability, probability, keep, 0.5, rule, words, signed=signed)

    decisions = decided(frozenset({Label.BODY}))
    assert decisions.kept.tolist() == [True] * 3 and LABELS[decisions.label[2]] is Label.BODY
    assert decisions.who(2) is DecidedBy.GUARD and decisions.why(2) == "signs what stands above it"
    probability[2, 0] = 0.09
    assert not decided(frozenset({Label.BODY})).kept[2], "under a forum's letters stand its buttons"
    probability[1] = probability[2] = (0.1, *probability[2, 1:])
    assert decided(frozenset({Label.BODY})).kept.tolist() == [True, False, False]


def test_less_is_asked_where_little_is_sure() -> None:
    lines = split(["a\nb\nc", "", "d\ne"])
    words = np.array([10, 20, 30, 5, 0])
    score = np.array([0.99, 0.98, 0.01, 0.3, 0.2])
    sure = sureness(lines, score, words)
    for k in range(3):
        a, b = lines.first[k], lines.first[k + 1]
        order = np.argsort(-score[a:b])
        q, w = score[a:b][order], np.maximum(words[a:b], 1)[order]
        best = max((2 * (q * w)[:n].sum() / (w[:n].sum() + (q * w).sum()) for n in range(1, b - a + 1)), default=1.0)
        assert sure[k] == pytest.approx(np.clip(best / 0.95, 0.5, 1.0) ** 2)
    assert sure[0] == 1.0 and sure[1] == 1.0 and sure[2] < 0.5
    alone = sureness(split(["d\ne"]), score[3:], words[3:])
    assert alone[0] == sure[2], "the batch does not matter"
    probability = np.zeros((5, len(LABELS)))
    probability[:, 0], probability[:, 3] = score, 1 - score
    decisions = decide(lines, probability, probability, frozenset({Label.BODY}), 0.5, np.full(5, -1, np.int8), words)
    assert decisions.kept.tolist() == [True, True, False, True, True]
    assert decisions.why(3) == "may well be kept text, and the document leaves little surer"


THRESHOLDS = {"body": [(0.001, 0.0), (0.01, 0.4), (0.1, 0.8)], "body+title": [(0.001, 0.1), (0.01, 0.5), (0.1, 0.9)]}


@pytest.mark.parametrize(
    ("config", "threshold"),
    [
        (Config(), 0.5),
        (Config(min_score=0.33), 0.33),
        (Config(max_body_loss=0.1), 0.9),
        (Config(max_body_loss=0.055), 0.7),
        (Config(keep=["body"], max_body_loss=0.01), 0.4),
        (Config(keep=["body", "caption"], max_body_loss=0.01), 0.4),
        (Config(keep=["title", "body", "caption"], max_body_loss=0.01), 0.5),
        (Config(keep=["caption"]), 0.4),
        (Config(favor_precision=True), 0.5 + 0.4 * 4 / 9),
        (Config(favor_recall=True), 0.1 + 0.4 * 4 / 9),
    ],
)
def test_a_promise_becomes_a_threshold(config: Config, threshold: float) -> None:
    assert least_score(config, THRESHOLDS, 0.01) == pytest.approx(threshold)


def test_a_loss_the_model_cannot_promise_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"max_body_loss is 0.5; the model can promise 0.001 to 0.1."):
        least_score(Config(max_body_loss=0.5), THRESHOLDS, 0.01)


def test_a_line_is_whole_when_it_holds_almost_all_words() -> None:
    lines = split(["one two three", "a b\nc", "a b c d e f g h i j k l m n o p q r s\nt\n", "...", "..\n.."])
    words = np.array([3, 2, 1, 19, 1, 0, 0, 0])
    assert whole_documents(lines, words).tolist() == [True, False, False, True, False, False, False, False]

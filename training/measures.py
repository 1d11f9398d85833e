"""The figures: word F1, label tables, removal at a given loss, calibration. Pure functions of judged pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from cleaner.config import Config
from cleaner.decide import least_score, sureness
from cleaner.evidence.compact import compact
from cleaner.evidence.ngrams import hash_lines
from cleaner.model import store
from cleaner.records import DecidedBy, Document, Label
from cleaner.segment.plain import split
from training.corpora import Page

#: What a reader calls boilerplate and removal is judged on.
PROMOTIONAL = (Label.ADVERT, Label.SUBSCRIPTION, Label.RECOMMENDED, Label.SHARE, Label.LEGAL)
#: The same on the seeds, where navigation stands among the text and legal lines are beside it.
PROMOTIONAL_IN_SEEDS = (Label.ADVERT, Label.SUBSCRIPTION, Label.RECOMMENDED, Label.SHARE, Label.NAVIGATION)
_WORD = re.compile(r"\w+")
_BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled page and what a model that never saw its host says of it."""

    page: Page
    document: Document
    model: store.Model

    @property
    def sure(self) -> float:
        """How surely the model tells the page's text apart: its threshold is less by this factor."""
        table = split([self.page.text])
        count = hash_lines(compact(table), self.model.linear.bits)[1].count
        score = np.array([line.score for line in self.document.lines])
        return float(sureness(table, score, count)[0])


def words(texts: Iterable[str]) -> Counter[str]:
    """The words of some texts, as WCXB counts them: runs of word characters in lower case."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(_WORD.findall(text.lower()))
    return counts


def word_f1(gold: Counter[str], found: Counter[str]) -> float:
    """F1 of the multisets' overlap; 1 if both are empty."""
    size = gold.total() + found.total()
    return 2 * (gold & found).total() / size if size else 1.0


def body_f1(judged: Judged) -> float | None:
    """Word F1 of the lines called body against the reader's body; None for a page without body."""
    page, lines = judged.page, judged.document.lines
    gold = [line.text for line, label in zip(lines, page.labels, strict=True) if label is Label.BODY]
    gold += page.remains.values()
    if not gold:
        return None
    return word_f1(words(gold), words(line.text for line in lines if line.label is Label.BODY))


@dataclass(frozen=True, slots=True)
class LabelScores:
    """Precision, recall, F1 and number of lines of each label, float64 [labels] each; labels without a line are nan."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    lines: NDArray[np.int64]

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the labels that occur."""
        return float(self.f1[self.lines > 0].mean())

    @property
    def body_f1(self) -> float:
        """The F1 of body, over lines."""
        return float(self.f1[list(Label).index(Label.BODY)])


def label_scores(judged: Sequence[Judged]) -> LabelScores:
    """How well each line got its label."""
    gold, found = [], []
    for one in judged:
        for line, label in zip(one.document.lines, one.page.labels, strict=True):
            if label is not None:
                gold.append(label.value)
                found.append(line.label.value)
    scores = precision_recall_fscore_support(gold, found, labels=[label.value for label in Label], zero_division=0.0)
    return LabelScores(*scores)


def label_table(judged: Sequence[Judged]) -> str:
    """Precision, recall and F1 of each label over lines, and their macro mean."""
    scores = label_scores(judged)
    rows = [f"{'label':14}{'lines':>9}{'precision':>11}{'recall':>8}{'F1':>7}"]
    columns = (scores.precision, scores.recall, scores.f1, scores.lines)
    for label, precision, recall, f1, count in zip(Label, *columns, strict=True):
        rows.append(f"{label:14}{count:9,}{precision:11.3f}{recall:8.3f}{f1:7.3f}")
    present = scores.lines > 0
    macro = [float(values[present].mean()) for values in columns[:3]]
    rows.append(f"{'macro':14}{scores.lines.sum():9,}{macro[0]:11.3f}{macro[1]:8.3f}{macro[2]:7.3f}")
    return "\n".join(rows)


def group_table(judged: Sequence[Judged], name: str, key: Callable[[Page], str]) -> str:
    """Macro F1 and body F1 of groups of pages, such as those of one language."""
    rows = [f"{name:14}{'pages':>7}{'lines':>9}{'macro F1':>10}{'body F1':>9}{'body word F1':>14}"]
    for group, members in groupby(sorted(judged, key=lambda one: key(one.page)), key=lambda one: key(one.page)):
        some = list(members)
        scores = label_scores(some)
        f1 = [score for one in some if (score := body_f1(one)) is not None]
        rows.append(
            f"{group or 'unknown':14}{len(some):7,}{int(scores.lines.sum()):9,}{scores.macro_f1:10.3f}"
            f"{scores.body_f1:9.3f}{np.mean(f1) if f1 else np.nan:14.3f}"
        )
    return "\n".join(rows)


@dataclass(frozen=True, slots=True)
class Scored:
    """The lines of judged pages as arrays.

    Attributes:
        score: the probability of being kept, as thresholds meet it: over the sureness of its page; below 0 where a
            rule removes the line whatever its score.
        probability: the same as it is.
        label: the reader's, as an index into `Label`, or -1.
        words: of each line.
        inserted: how a line of a synthetic page was put in, "" for its own.
    """

    score: NDArray[np.float64]
    probability: NDArray[np.float64]
    label: NDArray[np.int64]
    words: NDArray[np.int64]
    inserted: NDArray[np.str_]

    @property
    def body(self) -> NDArray[np.bool_]:
        """Which lines are body."""
        return np.asarray(self.label == list(Label).index(Label.BODY))

    def labelled(self, labels: Sequence[Label]) -> NDArray[np.bool_]:
        """Which lines have one of some labels."""
        return np.isin(self.label, [list(Label).index(label) for label in labels])

    def threshold(self, loss: float) -> float:
        """The highest threshold that loses at most a share of the body's words."""
        order = np.argsort(self.score[self.body])
        lost = np.cumsum(self.words[self.body][order]) / max(self.words[self.body].sum(), 1)
        return float(self.score[self.body][order][np.searchsorted(lost, loss, side="right").clip(max=len(order) - 1)])

    def loss(self, threshold: float) -> float:
        """The share of the body's words that a threshold loses."""
        lost = self.words[self.body & (self.score < threshold)].sum()
        return float(lost / max(self.words[self.body].sum(), 1))

    def removed(self, lines: NDArray[np.bool_], threshold: float) -> float:
        """The share of some lines that a threshold removes."""
        return float((self.score[lines] < threshold).mean()) if lines.any() else float("nan")


def scored(judged: Sequence[Judged]) -> Scored:
    """The lines of judged pages as arrays."""
    labels = list(Label)
    lines = [
        (
            -1.0 if line.decided_by is DecidedBy.RULE else line.score / sure,
            line.score,
            -1 if label is None else labels.index(label),
            len(_WORD.findall(line.text)),
            how,
        )
        for one in judged
        for sure in (one.sure,)
        for line, label, how in zip(
            one.document.lines, one.page.labels, one.page.inserted or ("",) * len(one.page.labels), strict=True
        )
    ]
    score, probability, label, count, how = zip(*lines, strict=True)
    return Scored(np.array(score), np.array(probability), np.array(label), np.array(count), np.array(how))


def removal_curve(lines: Scored, losses: Sequence[float] = (0.005, 0.01, 0.02, 0.03, 0.05)) -> str:
    """How much of each promotional label goes at which loss of body words."""
    rows = [
        f"{'body lost':>10}{'threshold':>11}{'all':>7}" + "".join(f"{label.value[:12]:>14}" for label in PROMOTIONAL)
    ]
    for loss in losses:
        at = lines.threshold(loss)
        shares = [lines.removed(lines.labelled([label]), at) for label in PROMOTIONAL]
        every = lines.removed(lines.labelled(PROMOTIONAL), at)
        rows.append(f"{loss:10.1%}{at:11.3f}{every:7.3f}" + "".join(f"{share:14.3f}" for share in shares))
    return "\n".join(rows)


def promises(
    judged: Sequence[Judged], promised: Sequence[float] = (0.005, 0.01, 0.015, 0.02, 0.05)
) -> dict[float, float]:
    """The share of body words that is lost where a share was promised, each page by its own model's threshold."""
    lost, total = dict.fromkeys(promised, 0.0), 0
    for one in judged:
        lines = scored([one])
        total += (some := int(lines.words[lines.body].sum()))
        for promise in promised:
            config = Config(max_body_loss=promise)
            lost[promise] += some * lines.loss(
                least_score(config, one.model.second.thresholds, one.model.max_body_loss)
            )
    return {promise: part / max(total, 1) for promise, part in lost.items()}


def calibration(lines: Scored, kept: Sequence[Label]) -> tuple[str, float]:
    """A reliability diagram as a table, and the expected calibration error (Naeini et al. 2015), lines as the unit."""
    known = (lines.label >= 0) & (lines.score >= 0)
    score, truth = lines.probability[known], lines.labelled(kept)[known]
    at = np.minimum((score * _BINS).astype(int), _BINS - 1)
    rows, error = [f"{'score':>10}{'lines':>9}{'mean score':>12}{'kept by readers':>17}"], 0.0
    for k in range(_BINS):
        some = at == k
        if some.any():
            mean, rate = float(score[some].mean()), float(truth[some].mean())
            error += abs(mean - rate) * some.mean()
            rows.append(f"{k / _BINS:5.1f}-{(k + 1) / _BINS:.1f} {some.sum():9,}{mean:12.3f}{rate:17.3f}")
    return "\n".join(rows), float(error)


def removal(judged: Sequence[Judged], labels: Sequence[Label] = PROMOTIONAL_IN_SEEDS) -> str:
    """How much of the promotional lines goes, and how much of the body with it."""
    total, gone, body, lost, body_words, lost_words = (0,) * 6
    for one in judged:
        for line, label in zip(one.document.lines, one.page.labels, strict=True):
            kept = one.document.is_kept(line)
            if label in labels:
                total, gone = total + 1, gone + (not kept)
            elif label is Label.BODY:
                count = len(_WORD.findall(line.text))
                body, body_words = body + 1, body_words + count
                lost, lost_words = lost + (not kept), lost_words + count * (not kept)
    return (
        f"promotional lines removed: {gone:,} of {total:,} ({_percent(gone, total)}); "
        f"body lines lost: {lost:,} of {body:,} ({_percent(lost, body)}), "
        f"body words lost: {_percent(lost_words, body_words)}"
    )


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"


def errors(one: Judged) -> list[str]:
    """The lines whose fate is wrong: body lost, or anything else kept but the title."""
    rows = []
    for k, (line, label) in enumerate(zip(one.document.lines, one.page.labels, strict=True)):
        kept = one.document.is_kept(line)
        should = label is None or label in one.document.keep
        if kept != should:
            what = "kept" if kept else "lost"
            rows.append(
                f"  {what} line {line.number}, {label} called {line.label} ({line.score:.2f}): {line.text[:90]}"
            )
        gold = [(line.start + a, line.start + b) for a, b, _ in one.page.cuts.get(k, ())]
        if kept and gold != [(cut.start, cut.end) for cut in line.cuts]:
            rows.append(
                f"  line {line.number}: cuts {[line.text[a - line.start : b - line.start] for a, b in gold]} expected"
            )
    return rows

"""Measure the model on pages it has not seen: `python -m training.evaluate --seeds` and `--pages FOLDER`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sklearn.metrics import precision_recall_fscore_support

from cleaner.pipeline import Cleaner
from cleaner.records import Document, Label
from training.corpora import CORPORA, FOLDS, Page, read_corpora, read_pages, read_seeds
from training.fit import cached_fit
from training.lines import Settings

#: What a reader calls boilerplate and the seeds are judged on.
PROMOTIONAL = (Label.ADVERT, Label.SUBSCRIPTION, Label.RECOMMENDED, Label.SHARE, Label.NAVIGATION)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled page and what a model that never saw its host says of it."""

    page: Page
    document: Document


def judge(model_pages: Sequence[Page], test_pages: Sequence[Page], settings: Settings) -> list[Judged]:
    """Train on some pages and label others."""
    typer.echo(f"training on {len(model_pages):,} pages to label {len(test_pages):,}: a few minutes", err=True)
    model = cached_fit(model_pages, settings).model()
    documents = Cleaner(model=model).label_many(page.text for page in test_pages)
    return [Judged(page, document) for page, document in zip(test_pages, documents, strict=True)]


def cross_validate(pages: Sequence[Page], test: Sequence[Page], settings: Settings) -> list[Judged]:
    """Label every test page by a model trained on the pages of other folds."""
    judged = []
    for fold in range(FOLDS):
        held = [page for page in test if page.fold == fold]
        if held:
            judged += judge([page for page in pages if page.fold != fold], held, settings)
    return judged


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


def label_table(judged: Sequence[Judged]) -> str:
    """Precision, recall and F1 of each label over lines, and their macro mean."""
    gold, found = [], []
    for one in judged:
        for line, label in zip(one.document.lines, one.page.labels, strict=True):
            if label is not None:
                gold.append(label.value)
                found.append(line.label.value)
    precision, recall, f1, support = precision_recall_fscore_support(
        gold, found, labels=[label.value for label in Label], zero_division=0.0
    )
    rows = [f"{'label':14}{'lines':>9}{'precision':>11}{'recall':>8}{'F1':>7}"]
    for label, *values, count in zip(Label, precision, recall, f1, support, strict=True):
        rows.append(f"{label:14}{count:9,}{values[0]:11.3f}{values[1]:8.3f}{values[2]:7.3f}")
    present = support > 0
    macro = [float(values[present].mean()) for values in (precision, recall, f1)]
    rows.append(f"{'macro':14}{support.sum():9,}{macro[0]:11.3f}{macro[1]:8.3f}{macro[2]:7.3f}")
    return "\n".join(rows)


def removal(judged: Sequence[Judged]) -> str:
    """How much of the promotional lines goes, and how much of the body with it."""
    total, gone, body, lost, body_words, lost_words = (0,) * 6
    for one in judged:
        for line, label in zip(one.document.lines, one.page.labels, strict=True):
            kept = one.document.is_kept(line)
            if label in PROMOTIONAL:
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


def report_seeds(judged: Sequence[Judged]) -> str:
    """Removal and every error, seed by seed and in sum."""
    rows = []
    for one in judged:
        rows += [one.page.name, f"  {removal([one])}", *errors(one)]
    return "\n".join([*rows, "all seeds", f"  {removal(judged)}"])


def report_pages(judged: Sequence[Judged]) -> str:
    """Word F1 of body, the table of labels, and removal; over all pages and by language."""
    rows = [label_table(judged), "", f"{'pages':14}{'pages':>9}{'body F1':>11}"]
    for name, group in _groups(judged).items():
        scores = [score for one in group if (score := body_f1(one)) is not None]
        rows.append(f"{name:14}{len(scores):9,}{sum(scores) / max(len(scores), 1):11.4f}")
    rows += ["", removal(judged)]
    return "\n".join(rows)


def _groups(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    groups = {"all": list(judged)}
    for one in judged:
        groups.setdefault(one.page.language or "unknown", []).append(one)
    return groups


def main(
    seeds: Annotated[bool, typer.Option("--seeds", help="Leave one seed out, train on the rest.")] = False,
    pages: Annotated[Path | None, typer.Option(help="A folder of labelled pages: 5-fold by host.")] = None,
    corpora: Annotated[Path, typer.Option(help="The folder whose labelled-pages/ are trained on too.")] = CORPORA,
) -> None:
    """Measure the model on pages it has not seen."""
    if not seeds and pages is None:
        raise typer.BadParameter("name what to measure on: --seeds or --pages FOLDER.")
    training = read_corpora(corpora)
    all_seeds = read_seeds()
    typer.echo(f"training pages: {len(training):,} labelled pages of {corpora} and the seeds", err=True)
    if seeds:
        judged = [
            one
            for seed in all_seeds
            for one in judge([*training, *(other for other in all_seeds if other != seed)], [seed], Settings())
        ]
        typer.echo("Seeds, each by a model trained on the other four and the labelled pages\n")
        typer.echo(report_seeds(judged))
    if pages is not None:
        test = read_pages(pages)
        known = {(page.corpus, page.name) for page in test}
        others = [page for page in training if (page.corpus, page.name) not in known]
        judged = cross_validate([*test, *others, *all_seeds], test, Settings())
        typer.echo(f"{pages}: {len(test):,} pages, 5-fold by host\n")
        typer.echo(report_pages(judged))


if __name__ == "__main__":
    typer.run(main)

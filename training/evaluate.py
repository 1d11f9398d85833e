"""Measure the model on pages it has not seen: `python -m training.evaluate --seeds | --pages FOLDER | --wcxb FOLDER`.

Pages that are trained on are judged by models that saw no page of their host (five folds by registrable domain);
pages that are not, by the shipped model, less those whose text it was trained on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from cleaner.config import Config
from cleaner.model import store
from cleaner.pipeline import Cleaner
from cleaner.records import DEFAULT_KEEP, Label
from cleaner.render import clean_text
from training.corpora import CORPORA, FOLDS, CorpusError, Page, read_pages, read_seeds
from training.diff import save_labels
from training.dumps import STYLES
from training.fit import cached_fit
from training.floors import WEIGHTS, digest_of
from training.html_report import HtmlJudges, html_report, languages_report
from training.lines import HTML_SETTINGS, Settings
from training.measures import (
    PROMOTIONAL,
    PROMOTIONAL_IN_SEEDS,
    Judged,
    body_f1,
    calibration,
    errors,
    group_table,
    label_scores,
    label_table,
    promises,
    removal,
    removal_curve,
    scored,
    word_f1,
    words,
)
from training.promises import is_promised
from training.synthetic import ALONE, BLOCK, END, TEASER, origin_of, with_inserts
from training.wcxb import read_corpora, read_wcxb

_INSERT_SEED = 2026
Figures = dict[str, float]


class Judges:
    """Models for pages: for each page one that saw nothing of its host, or the shipped one for pages never seen."""

    def __init__(self, corpora: Path, settings: Settings) -> None:
        self._training = [*read_corpora(corpora), *read_seeds()]
        self._settings = settings
        self._texts = {page.text.rstrip("\n") for page in self._training}
        self._names = {origin_of(page) for page in self._training}

    def split(self, pages: Sequence[Page]) -> Iterator[tuple[store.Model, list[Page]]]:
        """Each model with the pages it is to judge."""
        known = [page for page in pages if origin_of(page) in self._names]
        for fold in range(FOLDS):
            if held := [page for page in known if page.fold == fold]:
                yield self._without(fold), held
        new = [page for page in pages if origin_of(page) not in self._names]
        unseen = [page for page in new if page.text.rstrip("\n") not in self._texts]
        if len(new) > len(unseen):
            typer.echo(f"{len(new) - len(unseen)} dumps are left out: the same text was trained on.", err=True)
        if not known and not unseen:
            raise CorpusError("there is nothing to judge: every page's text was trained on.")
        if unseen:
            hosts = {page.host for page in self._training}
            shared = sum(page.host in hosts for page in unseen)
            typer.echo(
                f"{len(unseen):,} dumps by the shipped model; {shared:,} are of hosts it was trained on.", err=True
            )
            yield store.load(), unseen

    def label(self, pages: Sequence[Page]) -> list[Judged]:
        """Every page labelled with the default settings, by a model that does not know it."""
        judged = []
        for model, held in self.split(pages):
            documents = Cleaner(model=model).label_many(page.text for page in held)
            judged += [Judged(page, document, model) for page, document in zip(held, documents, strict=True)]
        return judged

    def seeds(self) -> list[Judged]:
        """Each seed by a model trained on the other four and all pages."""
        judged = []
        for seed in read_seeds():
            others = [page for page in self._training if (page.corpus, page.name) != (seed.corpus, seed.name)]
            _announce(others, 1)
            model = cached_fit(others, self._settings).model()
            judged.append(Judged(seed, Cleaner(model=model).label(seed.text), model))
        return judged

    def _without(self, fold: int) -> store.Model:
        pages = [page for page in self._training if page.fold != fold]
        _announce(pages, 0)
        return cached_fit(pages, self._settings).model()


def _announce(pages: Sequence[Page], seeds: int) -> None:
    typer.echo(f"a model of {len(pages):,} dumps{', without one seed' * seeds}: some minutes, once", err=True)


def seeds_report(judged: Sequence[Judged]) -> tuple[str, Figures]:
    """Removal and every error, seed by seed and in sum."""
    rows = []
    for one in judged:
        rows += [one.page.name, f"  {removal([one])}", *errors(one)]
    lines = [
        (label, one.document.is_kept(line))
        for one in judged
        for line, label in zip(one.document.lines, one.page.labels, strict=True)
    ]
    promotional = [not kept for label, kept in lines if label in PROMOTIONAL_IN_SEEDS]
    figures = {
        "seeds: promotional lines removed": float(np.mean(promotional)),
        "seeds: body lines lost": float(sum(label is Label.BODY and not kept for label, kept in lines)),
    }
    return "\n".join([*rows, "all seeds", f"  {removal(judged)}"]), figures


def pages_report(judged: Sequence[Judged], judges: Judges) -> tuple[str, Figures]:
    """Labels, body, removal, promises, calibration and inserts on hand-labelled pages."""
    scores = [score for one in judged if (score := body_f1(one)) is not None]
    labels = label_scores(judged)
    lines = scored(judged)
    table, error = calibration(lines, tuple(DEFAULT_KEEP))
    figures = {
        "pages: label macro F1": labels.macro_f1,
        "pages: body F1": labels.body_f1,
        "pages: body word F1": float(np.mean(scores)),
        "pages: expected calibration error": error,
    }
    rows = [
        label_table(judged),
        group_table(judged, "set", lambda page: page.corpus),
        group_table(judged, "language", lambda page: page.language),
        f"body word F1, mean over {len(scores):,} pages: {np.mean(scores):.3f}",
        f"with the default threshold, navigation among the promotional: {removal(judged)}",
        _second_time(judged),
        "calibration of the score, lines of all pages\n" + table + f"\nexpected calibration error: {error:.4f}",
    ]
    articles = [one for one in judged if is_promised(one.page)]
    if not articles:  # a folder that is not of the corpora need not say which of its pages are articles
        articles = [one for one in judged if one.page.kind in ("", "article")]
    if any(Label.BODY in one.page.labels for one in articles):
        some = scored(articles)
        kept = promises(articles)
        figures |= {
            f"articles: promotional lines removed at {loss:.0%} loss": some.removed(
                some.labelled(PROMOTIONAL), some.threshold(loss)
            )
            for loss in (0.01, 0.02)
        }
        figures |= {f"articles: body lost where {promise:.1%} is promised": loss for promise, loss in kept.items()}
        rows += [
            f"removal on {len(articles):,} articles, at thresholds that lose so much of the body's words\n"
            + removal_curve(some),
            "what a promise holds on pages not seen\n"
            + "\n".join(f"  promised {promise:.1%}, lost {loss:.2%}" for promise, loss in kept.items()),
        ]
        if with_lines_put_in := _inserts([replace(one.page, kind="article") for one in articles]):
            made = scored(judges.label(with_lines_put_in))
            at = made.threshold(0.01)
            inserted = made.inserted != ""
            figures["inserts: removed at 1% loss"] = made.removed(inserted, at)
            figures["inserts: lone teasers removed at 1% loss"] = made.removed(made.inserted == TEASER, at)
            rows.append(
                f"lines put into clean articles, removed at 1 % loss (threshold {at:.3f}): "
                f"{made.removed(inserted, at):.3f}; "
                + ", ".join(
                    f"{how} {made.removed(made.inserted == how, at):.3f}" for how in (ALONE, BLOCK, END, TEASER)
                )
            )
    return "\n\n".join(rows), figures


def _second_time(judged: Sequence[Judged]) -> str:
    """How many clean texts stay as they are when they are cleaned again by the same model, and how many words do."""
    same, kept, total = 0, 0, 0
    for model in {id(one.model): one.model for one in judged}.values():
        once = [clean_text(one.document) for one in judged if one.model is model]
        for first, second in zip(once, Cleaner(model=model).clean_many(once), strict=True):
            same += first == second
            kept += words([second]).total()
            total += words([first]).total()
    share = f"{kept / max(total, 1):.1%}"
    return f"cleaned a second time, {same:,} of {len(judged):,} texts stay the same; of all words, {share} are kept"


def _inserts(pages: Sequence[Page]) -> list[Page]:
    """Clean articles with lines put in; those of a fold from pages of the same fold."""
    return [
        page
        for fold in range(FOLDS)
        for page in with_inserts([page for page in pages if page.fold == fold], _INSERT_SEED + fold)
    ]


def wcxb_report(folder: Path, judges: Judges) -> tuple[str, Figures]:
    """WCXB's word F1 of the clean text when body is kept, for each dump style and page kind, beside keeping all.

    A page that a style finds no text on counts as 0, as WCXB has it: nothing that is wanted was found.
    """
    pages = list(read_wcxb(folder))
    f1 = {(style, page.name): (0.0, 0.0) for page in pages for style in STYLES}
    for model, held in judges.split(pages):
        texts = Cleaner(config=Config(keep=[Label.BODY]), model=model).clean_many(page.text for page in held)
        for page, text in zip(held, texts, strict=True):
            gold = words([page.content or ""])
            f1[page.style, page.name] = word_f1(gold, words([text])), word_f1(gold, words([page.text]))
    kinds = {page.name: page.kind for page in pages}
    figures, rows = {}, [f"{'style':10}{'pages':>7}{'word F1':>9}{'keep all':>10}{'articles':>10}{'keep all':>10}"]
    for style in STYLES:
        every = np.array([pair for (some, _), pair in f1.items() if some == style]).reshape(-1, 2)
        articles = every[[kinds[name] == "article" for some, name in f1 if some == style]]
        (ours, all_kept), (ours_there, all_kept_there) = every.mean(axis=0), _mean(articles)
        figures[f"wcxb {style}: word F1"] = float(ours)
        figures[f"wcxb {style}: word F1 above keeping everything"] = float(ours - all_kept)
        figures[f"wcxb {style}: word F1, articles"] = float(ours_there)
        rows.append(f"{style:10}{len(every):7,}{ours:9.4f}{all_kept:10.4f}{ours_there:10.4f}{all_kept_there:10.4f}")
    rows += ["", f"{'kind':14}{'pages':>7}{'word F1':>9}{'keep all':>10}   of full dumps"]
    for kind in sorted(set(kinds.values())):
        some = np.array([p for (style, name), p in f1.items() if style == "full" and kinds[name] == kind])
        rows.append(f"{kind or 'unknown':14}{len(some):7,}{some.mean(axis=0)[0]:9.4f}{some.mean(axis=0)[1]:10.4f}")
    return "\n".join(rows), figures


def _mean(pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of rows; nan for a folder without any."""
    return pairs.mean(axis=0) if len(pairs) else np.full(2, np.nan)


def main(
    seeds: Annotated[bool, typer.Option("--seeds", help="Judge the five seeds, leaving one out at a time.")] = False,
    pages: Annotated[Path | None, typer.Option(help="A folder of labelled pages, or of such folders.")] = None,
    wcxb: Annotated[Path | None, typer.Option(help="A folder in WCXB's layout: html/ and ground-truth/.")] = None,
    html: Annotated[Path | None, typer.Option(help="The same folder, its HTML read by the model for HTML.")] = None,
    languages: Annotated[
        Path | None, typer.Option(help="A folder with html/ whose hand labels lie in labelled-pages/.")
    ] = None,
    corpora: Annotated[Path, typer.Option(help="The folder with the pages to train on.")] = CORPORA,
    save: Annotated[Path | None, typer.Option(help="Where to keep the labels of --pages for training.diff.")] = None,
    figures: Annotated[Path | None, typer.Option(help="A JSON file that takes in the figures.")] = None,
) -> None:
    """Print figures and every error, on pages of hosts that the judging model never saw."""
    if not seeds and pages is None and wcxb is None and html is None and languages is None:
        raise typer.BadParameter("give --seeds, --pages, --wcxb, --html or --languages.")
    found: Figures = {}
    if html is not None or languages is not None:
        found |= _html_figures(html, languages, corpora)
    if seeds or pages is not None or wcxb is not None:
        found |= _text_figures(seeds, pages, wcxb, corpora, save)
    if figures is not None:
        before = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {}
        after = {name: round(value, 5) for name, value in found.items()}
        model = store.DEFAULT_HTML if html is not None or languages is not None else store.DEFAULT
        whole = before | after | {WEIGHTS: digest_of(store.find(model))}
        figures.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def _html_figures(html: Path | None, languages: Path | None, corpora: Path) -> Figures:
    judges = HtmlJudges(corpora, HTML_SETTINGS)
    found: Figures = {}
    if html is not None:
        report, some = html_report(html, judges, corpora / "labelled-pages" / "en")
        typer.echo(f"{html}: word F1 against main_content, by models that saw no page of the host\n\n{report}\n")
        found |= some
    if languages is not None:
        labelled = corpora / "labelled-pages" / languages.resolve().name.removesuffix("-dev")
        report, some = languages_report(languages, judges, labelled)
        typer.echo(f"{languages}: word F1 against the readers' body, models as above\n\n{report}\n")
        found |= some
    return found


def _text_figures(seeds: bool, pages: Path | None, wcxb: Path | None, corpora: Path, save: Path | None) -> Figures:
    judges = Judges(corpora, Settings())
    found: Figures = {}
    if seeds:
        report, some = seeds_report(judges.seeds())
        typer.echo(f"Seeds, each by a model trained on the other four and all pages\n\n{report}\n")
        found |= some
    if pages is not None:
        folders = sorted({table.parent for table in pages.rglob("*.tsv") if table.with_suffix(".txt").exists()})
        judged = judges.label([page for folder in folders or [pages] for page in read_pages(folder)])
        report, some = pages_report(judged, judges)
        typer.echo(f"{pages}: {len(judged):,} pages, by models that saw no page of the host\n\n{report}\n")
        found |= some
        if save is not None:
            save_labels(save, judged)
    if wcxb is not None:
        report, some = wcxb_report(wcxb, judges)
        typer.echo(
            f"{wcxb}: word F1 against main_content, body kept, by models that saw no page of the host\n\n{report}\n"
        )
        found |= some
    return found


if __name__ == "__main__":
    typer.run(main)

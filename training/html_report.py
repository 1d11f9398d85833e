"""The figures of the model for HTML: WCXB's word F1 beside other extractors, and hand labels of other languages.

Each page is judged by a model that saw no page of its host; pages that were not trained on by the shipped model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import trafilatura
import typer
from resiliparse.extract.html2text import extract_plain_text

from cleaner.config import Config
from cleaner.model import store
from cleaner.pipeline import Cleaner
from cleaner.records import Label
from training.corpora import FOLDS, read_pages
from training.fit import cached_html_fit
from training.html import HtmlPage, read_corpora, read_folder
from training.lines import Settings
from training.measures import word_f1, words
from training.wcxb import read_html

Figures = dict[str, float]
_KEEP_BODY = Config(keep=[Label.BODY])
_OURS, _FAST, _TRAFILATURA = "cleaner", "cleaner --fast", "trafilatura"


class HtmlJudges:
    """Models for pages of HTML, as `training.evaluate.Judges` has them for dumps."""

    def __init__(self, corpora: Path, settings: Settings) -> None:
        self._training = read_corpora(corpora)
        self._settings = settings

    def split(self, pages: Sequence[HtmlPage]) -> Iterator[tuple[store.Model, list[HtmlPage]]]:
        """Each model with the pages it is to judge."""
        names = {(page.page.corpus, page.page.name) for page in self._training}
        sources = {page.source.read_bytes() for page in self._training}
        known = [page for page in pages if (page.page.corpus, page.page.name) in names]
        for fold in range(FOLDS):
            held = [page for page in known if page.page.fold == fold]
            if held:
                train = [page for page in self._training if page.page.fold != fold]
                typer.echo(f"a model of {len(train):,} pages of HTML: some minutes, once", err=True)
                yield cached_html_fit(train, self._settings).model(), held
        new = [page for page in pages if (page.page.corpus, page.page.name) not in names]
        unseen = [page for page in new if page.source.read_bytes() not in sources]
        if len(new) > len(unseen):
            typer.echo(f"{len(new) - len(unseen)} pages are left out: they were trained on.", err=True)
        if unseen:
            typer.echo(f"{len(unseen):,} pages by the shipped model", err=True)
            yield store.load(store.DEFAULT_HTML), unseen

    def clean(self, pages: Sequence[HtmlPage], *, fast: bool) -> dict[str, str]:
        """The body of each page, by name."""
        found = {}
        for model, held in self.split(pages):
            cleaner = Cleaner(config=_KEEP_BODY, html_model=model, fast=fast)
            for page in held:
                found[page.page.name] = cleaner.clean_html(read_html(page.source), url=page.url)
        return found


def trafilatura_text(html: str) -> str:
    """What trafilatura takes for a page's text, with its default settings."""
    return trafilatura.extract(html) or ""


def _trafilatura_fast(html: str) -> str:
    return trafilatura.extract(html, fast=True) or ""


def resiliparse_text(html: str) -> str:
    """What resiliparse takes for a page's main content."""
    text: str = extract_plain_text(html, main_content=True, alt_texts=False, links=False)
    return text


_PEERS: dict[str, Callable[[str], str]] = {
    _TRAFILATURA: trafilatura_text,
    "trafilatura fast": _trafilatura_fast,
    "resiliparse": resiliparse_text,
}


def html_report(folder: Path, judges: HtmlJudges, labelled: Path) -> tuple[str, Figures]:
    """Word F1 against WCXB's text to keep, by page kind, ours and other extractors' in one run.

    Args:
        folder: in WCXB's layout.
        judges: the models.
        labelled: hand-labelled full dumps of some of the pages.
    """
    pages = [page for page in read_folder(folder, read_pages(labelled)) if page.page.content]
    texts = {
        _OURS: judges.clean(pages, fast=False),
        _FAST: judges.clean(pages, fast=True),
        **{name: {page.page.name: run(read_html(page.source)) for page in pages} for name, run in _PEERS.items()},
    }
    kinds = sorted({page.page.kind for page in pages})
    f1 = {
        name: np.array([word_f1(words([page.page.content or ""]), words([found[page.page.name]])) for page in pages])
        for name, found in texts.items()
    }
    rows = [f"{'kind':14}{'pages':>7}" + "".join(f"{name:>18}" for name in texts)]
    figures: Figures = {}
    for kind in (None, *kinds):
        here = np.array([kind is None or page.page.kind == kind for page in pages])
        means = {name: float(values[here].mean()) for name, values in f1.items()}
        rows.append(f"{kind or 'all':14}{here.sum():7,}" + "".join(f"{mean:18.4f}" for mean in means.values()))
        end = "" if kind is None else f", {kind}"
        figures[f"html: word F1{end}"] = means[_OURS]
        figures[f"html fast: word F1{end}"] = means[_FAST]
        figures[f"html: word F1 above trafilatura{end}"] = means[_OURS] - means[_TRAFILATURA]
    return "\n".join(rows), figures


def languages_report(folder: Path, judges: HtmlJudges, labelled: Path) -> tuple[str, Figures]:
    """Word F1 against the body that a reader marked, by language, beside trafilatura."""
    gold = {
        page.name: words(
            [line for line, label in zip(page.lines, page.labels, strict=True) if label is Label.BODY]
            + list(page.remains.values())
        )
        for page in read_pages(labelled)
    }
    pages = [page for page in read_folder(folder, read_pages(labelled)) if gold.get(page.page.name)]
    texts = {
        _OURS: judges.clean(pages, fast=False),
        _FAST: judges.clean(pages, fast=True),
        _TRAFILATURA: {page.page.name: trafilatura_text(read_html(page.source)) for page in pages},
    }
    f1 = {
        name: np.array([word_f1(gold[page.page.name], words([found[page.page.name]])) for page in pages])
        for name, found in texts.items()
    }
    rows = [f"{'language':14}{'pages':>7}" + "".join(f"{name:>18}" for name in texts)]
    for language in (None, *sorted({page.page.language for page in pages})):
        here = np.array([language is None or page.page.language == language for page in pages])
        rows.append(
            f"{language or 'all':14}{here.sum():7,}" + "".join(f"{values[here].mean():18.4f}" for values in f1.values())
        )
    ours, theirs = float(f1[_OURS].mean()), float(f1[_TRAFILATURA].mean())
    figures = {"languages: body word F1": ours, "languages: body word F1 above trafilatura": ours - theirs}
    return "\n".join(rows), figures

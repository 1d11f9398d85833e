"""Train the model and write its folder: `python -m training.fit`.

Two stages. (1) Linear models over the hashed n-grams of a line and over the words of its neighbours, one-vs-rest
logistic regression by stochastic gradient descent. (2) A network over the line's shape, those scores and what the
lines around it show; the scores are out of fold by host, so that stage 2 learns from scores as good as it will meet.
The thresholds are found on out-of-fold scores of one network of stage 2. Pages that nobody labelled are
first labelled by a teacher, which is trained on the labelled pages given and on nothing else.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cleaner.evidence import verdicts
from cleaner.evidence.gather import beside, network_input
from cleaner.model import store
from cleaner.model.network import Linear, Neighbours, Topics
from cleaner.pipeline import own_log_probabilities
from training import DEFAULT_LOSS
from training.caching import MEMORY, ROOT, code_digest
from training.convolution import Examples
from training.corpora import CORPORA, FULL, Page, read_seeds
from training.html import HtmlPage, html_digest
from training.html import read_corpora as read_html_corpora
from training.lines import HTML_SETTINGS, UNLABELLED, Lines, Settings, html_lines, rarity, training_lines
from training.promises import thresholds
from training.stages import (
    fit_linear,
    fit_networks,
    in_bytes,
    linear_arrays,
    neighbour_arrays,
    neighbour_matrix,
    out_of_fold,
    own_matrix,
)
from training.synthetic import synthetic_pages
from training.teacher import teach, with_paths
from training.topics import fit_topics
from training.wcxb import read_corpora

#: What a trained model depends on; training again is only skipped while none of it has changed.
_CODE = (
    *("cleaner/records.py", "cleaner/segment/*.py", "cleaner/evidence/*.py", "cleaner/model/network.py"),
    *("cleaner/model/store.py", "cleaner/decide.py", "cleaner/batches.py", "cleaner/pipeline.py"),
    *(
        f"training/{name}.py"
        for name in (
            *("convolution", "corpora", "synthetic", "lines", "stages", "structure", "teacher", "topics"),
            *("promises", "fit"),
        )
    ),
)


Thresholds = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What training yields: the arrays of a model folder, and which threshold loses how much body."""

    arrays: dict[str, NDArray[Any]]
    thresholds: Thresholds
    settings: Settings
    fast_thresholds: Thresholds | None = None

    def model(self, name: str = "trained") -> store.Model:
        """The model as the library runs it."""
        return store.assemble(Path(name), self.config(), self.arrays)

    def config(self) -> dict[str, Any]:
        """What a model folder's configuration says of it."""
        kind = store.TEXT if self.fast_thresholds is None else store.HTML
        said = {
            "input": kind,
            "own_share": self.settings.own_share,
            "content_share": self.settings.content_share,
            "max_body_loss": DEFAULT_LOSS[kind],
            "thresholds": self.thresholds,
        }
        return said if self.fast_thresholds is None else {**said, "fast_thresholds": self.fast_thresholds}


def fit(pages: Sequence[Page], settings: Settings) -> Trained:
    """Train all stages and find the thresholds.

    Args:
        pages: real pages: labelled ones in one or more styles, and pages that WCXB judges but nobody labelled.
            Synthetic ones are made of the labelled full dumps, fold by fold.
        settings: the choices of the run.
    """
    folds = sorted({page.fold for page in pages})
    labelled = [page for page in pages if page.style == FULL and any(page.labels)]
    made = [
        page
        for fold in folds
        for page in synthetic_pages(
            [page for page in labelled if page.fold == fold], settings.copies, settings.seed + fold
        )
    ]
    return fit_lines(training_lines([*pages, *made], settings), settings)


def fit_lines(lines: Lines, settings: Settings) -> Trained:
    """Train all stages on the lines of pages, whatever they were read from."""
    evidence = lines.evidence
    words, around = evidence.grams[1], beside(evidence.lines)
    own_features = own_matrix(evidence, settings)
    near_features = neighbour_matrix(words, *around, settings.neighbour_bits)

    about = fit_topics(lines, lines.full, settings) if settings.topics else {}
    subjects = Topics.from_arrays(about).subjects(words) if about else None
    label = teach(lines, own_features if evidence.markup else with_paths(own_features, lines), subjects, settings)
    known = label != UNLABELLED
    weight = lines.weight * rarity(label, settings)
    first = lines.full & known

    def by_own_words(train: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        fitted = fit_linear(own_features[train], label[train], weight[train], settings, settings.rare_grams)
        return linear_arrays(*fitted, settings)

    def by_neighbours(train: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        return neighbour_arrays(*fit_linear(near_features[train], label[train], weight[train], settings))

    def first_stage(fold: int) -> NDArray[np.float64]:
        """The first stage's scores of a fold, by models that saw no page of it."""
        train, held = first & (lines.fold != fold), lines.fold == fold
        own = own_log_probabilities(Linear.from_arrays(by_own_words(train)), evidence)
        near = Neighbours.from_arrays(by_neighbours(train)).log_probabilities(words, *around)
        return np.concatenate([own[held], near[held]], axis=1)

    own, near = np.split(out_of_fold(lines.fold, first_stage), 2, axis=1)
    features = network_input(evidence, own, near, subjects)
    # the linear models of the folder, trained below, take the teacher's lines at this weight too; those above, for the
    # network's features, took them whole. The models that ship were made so: to be mended when both are trained again
    weight = weight * np.where(lines.unread, settings.unread_weight, 1.0)
    judged = lines.weight * (lines.in_content >= 0) * (settings.content_share > 0)

    def networks(columns: int, rows: NDArray[np.bool_], settings: Settings) -> dict[str, NDArray[Any]]:
        wanted = lines.in_content == 1
        return fit_networks(
            Examples(features[:, :columns], evidence.lines.first, label, weight * rows, wanted, judged * rows), settings
        )

    def second_stage(columns: int, settings: Settings) -> tuple[dict[str, NDArray[Any]], Thresholds]:
        one_network = dataclasses.replace(settings, networks=1)

        def held_out(fold: int) -> NDArray[np.float64]:
            """The final probabilities of a fold, by networks that saw no page of it."""
            held = lines.fold == fold
            config = {"thresholds": {}, "content_share": settings.content_share}
            stage = store.second_stage(config, networks(columns, ~held, one_network))
            return stage.probabilities(features[held, :columns], evidence.place[held], own[held], settings.own_share)

        every = np.ones(len(known), dtype=bool)
        return in_bytes(networks(columns, every, settings)), thresholds(lines, out_of_fold(lines.fold, held_out))

    arrays, promised = second_stage(features.shape[1], settings)
    arrays |= by_own_words(first) | by_neighbours(first) | about
    fast = None
    if evidence.markup:
        few = dataclasses.replace(settings, networks=settings.fast_networks)
        quick, fast = second_stage(features.shape[1] - len(verdicts.FEATURES), few)
        arrays |= {f"{store.FAST}{name}": array for name, array in quick.items()}
    return Trained(arrays, promised, settings, fast)


def cached_fit(pages: Sequence[Page], settings: Settings) -> Trained:
    """`fit`, or what it gave before for the same pages, settings and code."""
    trained: Trained = MEMORY.cache(_fit_for_code)(list(pages), settings, code_digest(_CODE))
    return trained


def cached_html_fit(pages: Sequence[HtmlPage], settings: Settings) -> Trained:
    """The same for pages of HTML."""
    # a digest of its own: joblib's differs between equal pages that were read anew and that came out of a cache
    fit_once = MEMORY.cache(_html_fit_for_code, ignore=["pages"])
    trained: Trained = fit_once(list(pages), settings, code_digest(_CODE), html_digest(pages))
    return trained


def _html_fit_for_code(pages: list[HtmlPage], settings: Settings, code: str, content: str) -> Trained:
    with threadpool_limits(1):
        return fit_lines(html_lines(pages, settings), settings)


def _fit_for_code(pages: list[Page], settings: Settings, code: str) -> Trained:
    # one thread a matrix product: the order of its sums, and so the model, does not depend on the number of cores
    with threadpool_limits(1):
        return fit(pages, settings)


def main(
    corpora: Annotated[Path, typer.Option(help="The folder that holds labelled-pages/.")] = CORPORA,
    out: Annotated[Path | None, typer.Option(help="The model folder to write.", show_default=False)] = None,
    html: Annotated[bool, typer.Option("--html", help="Train the model for HTML instead of the one for text.")] = False,
) -> None:
    """Train on the seeds and, where they are at hand, the labelled pages; write a model folder."""
    if html:
        sources = read_html_corpora(corpora)
        if not sources:
            typer.echo(f"{corpora} holds no pages of HTML with labels; there is nothing to train on.", err=True)
            raise typer.Exit(2)
        counts = Counter(page.page.corpus for page in sources)
        _write(out or ROOT / "models" / store.DEFAULT_HTML, cached_html_fit(sources, HTML_SETTINGS), counts)
        return
    pages = read_corpora(corpora)
    if not pages:
        typer.echo(
            f"{corpora} holds no labelled pages: training on the seeds alone, which makes a poor model.",
            err=True,
        )
    pages += read_seeds()
    counts = Counter(f"{page.corpus}, {page.style}" for page in pages)
    _write(out or ROOT / "models" / store.DEFAULT, cached_fit(pages, Settings()), counts)


def _write(out: Path, trained: Trained, counts: Counter[str]) -> None:
    settings = dataclasses.asdict(trained.settings)
    config = {**trained.config(), "trained_on": dict(sorted(counts.items())), "settings": settings}
    card = out / "README.md"
    store.save(out, trained.arrays, config, card.read_text(encoding="utf-8") if card.exists() else _CARD)
    typer.echo(f"{out}: trained on {counts.total():,} pages.")


_CARD = "# A line classifier for cleaner\n\nTrained with `python -m training.fit`; `config.json` says on what.\n"

if __name__ == "__main__":
    typer.run(main)

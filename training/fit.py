"""Train the model and write its folder: `python -m training.fit`.

Two stages. (1) Linear models over the hashed n-grams of a line and over the words of its neighbours, one-vs-rest
logistic regression by stochastic gradient descent. (2) Networks with one hidden layer over the line's shape and the
windowed scores of stage 1; those scores are out of fold by host, so that stage 2 learns from scores as good as it
will meet. The thresholds are found on out-of-fold scores of one network of stage 2. Pages that nobody labelled are
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

from cleaner.model import store
from cleaner.model.network import Linear, Neighbours, Network, blend
from cleaner.pipeline import beside, network_input
from training import DEFAULT_LOSS
from training.caching import MEMORY, ROOT, code_digest
from training.corpora import CORPORA, FULL, Page, read_seeds
from training.lines import UNLABELLED, Settings, rarity, training_lines
from training.promises import thresholds
from training.stages import (
    fit_linear,
    fit_network,
    gram_matrix,
    linear_arrays,
    neighbour_arrays,
    neighbour_matrix,
    out_of_fold,
)
from training.synthetic import synthetic_pages
from training.teacher import teach
from training.wcxb import read_corpora

#: What a trained model depends on; training again is only skipped while none of it has changed.
_CODE = (
    *("cleaner/records.py", "cleaner/segment/plain.py", "cleaner/evidence/*.py", "cleaner/model/network.py"),
    "cleaner/decide.py",
    "cleaner/pipeline.py",
    *(
        f"training/{name}.py"
        for name in ("corpora", "synthetic", "lines", "stages", "structure", "teacher", "promises", "fit")
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What training yields: the arrays of a model folder, and which threshold loses how much body."""

    arrays: dict[str, NDArray[Any]]
    thresholds: dict[str, list[tuple[float, float]]]
    own_share: float

    def model(self, name: str = "trained") -> store.Model:
        """The model as the library runs it."""
        return store.assemble(Path(name), self.config(), self.arrays)

    def config(self) -> dict[str, Any]:
        """What a model folder's configuration says of it."""
        return {"own_share": self.own_share, "max_body_loss": DEFAULT_LOSS, "thresholds": self.thresholds}


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
    lines = training_lines([*pages, *made], settings)
    words = lines.evidence.grams[1]
    own_matrix = gram_matrix(lines.evidence.grams, settings.bits)
    near_matrix = neighbour_matrix(words, *beside(lines.evidence.lines), settings.neighbour_bits)

    label = teach(lines, own_matrix, settings)
    known = label != UNLABELLED
    weight = lines.weight * rarity(label, settings)
    first = lines.full & known

    def by_own_words(train: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        return linear_arrays(*fit_linear(own_matrix[train], label[train], weight[train], settings))

    def by_neighbours(train: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        return neighbour_arrays(*fit_linear(near_matrix[train], label[train], weight[train], settings))

    def first_stage(fold: int) -> NDArray[np.float64]:
        """The first stage's scores of a fold, by models that saw no page of it."""
        train, held = first & (lines.fold != fold), lines.fold == fold
        own = Linear.from_arrays(by_own_words(train)).log_probabilities(lines.evidence.grams)
        near = Neighbours.from_arrays(by_neighbours(train)).log_probabilities(words, *beside(lines.evidence.lines))
        return np.concatenate([own[held], near[held]], axis=1)

    own, near = np.split(out_of_fold(lines.fold, first_stage), 2, axis=1)
    features = network_input(lines.evidence, own, near)
    weight = weight * np.where(lines.unread, settings.unread_weight, 1.0)
    one_network = dataclasses.replace(settings, networks=1)

    def held_out(fold: int) -> NDArray[np.float64]:
        """The final probabilities of a fold, by a network that saw no page of it."""
        rows, held = known & (lines.fold != fold), lines.fold == fold
        network = Network.from_arrays(fit_network(features[rows], label[rows], weight[rows], one_network))
        return np.exp(blend(network.logits(features[held]), own[held], settings.own_share))

    return Trained(
        {
            **by_own_words(first),
            **by_neighbours(first),
            **fit_network(features[known], label[known], weight[known], settings),
        },
        thresholds(lines, out_of_fold(lines.fold, held_out)),
        settings.own_share,
    )


def cached_fit(pages: Sequence[Page], settings: Settings) -> Trained:
    """`fit`, or what it gave before for the same pages, settings and code."""
    trained: Trained = MEMORY.cache(_fit_for_code)(list(pages), settings, code_digest(_CODE))
    return trained


def _fit_for_code(pages: list[Page], settings: Settings, code: str) -> Trained:
    # one thread a matrix product: the order of its sums, and so the model, does not depend on the number of cores
    with threadpool_limits(1):
        return fit(pages, settings)


def main(
    corpora: Annotated[Path, typer.Option(help="The folder that holds labelled-pages/.")] = CORPORA,
    out: Annotated[Path, typer.Option(help="The model folder to write.")] = ROOT / "models" / store.DEFAULT,
) -> None:
    """Train on the seeds and, where they are at hand, the labelled pages; write a model folder."""
    pages = read_corpora(corpora)
    if not pages:
        typer.echo(
            f"{corpora} holds no labelled pages: training on the seeds alone, which makes a poor model.",
            err=True,
        )
    pages += read_seeds()
    settings = Settings()
    trained = cached_fit(pages, settings)
    counts = Counter(f"{page.corpus}, {page.style}" for page in pages)
    config = {**trained.config(), "trained_on": dict(sorted(counts.items())), "settings": dataclasses.asdict(settings)}
    card = out / "README.md"
    store.save(out, trained.arrays, config, card.read_text(encoding="utf-8") if card.exists() else _CARD)
    typer.echo(f"{out}: trained on {len(pages):,} dumps of pages.")


_CARD = "# A line classifier for cleaner\n\nTrained with `python -m training.fit`; `config.json` says on what.\n"

if __name__ == "__main__":
    typer.run(main)

"""Train the model and write its folder: `python -m training.fit`.

Two stages. (1) A linear model over the hashed n-grams of a line, one-vs-rest logistic regression by stochastic
gradient descent. (2) A network with one hidden layer over the line's shape and the windowed scores of stage 1;
those scores are out of fold by host, so that stage 2 learns from scores as good as it will meet. The threshold
is chosen on out-of-fold scores of stage 2.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from joblib import Memory, Parallel, delayed
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from cleaner.model import store
from cleaner.model.network import Linear, Network, blend
from cleaner.pipeline import network_input
from training.corpora import CORPORA, Page, read_corpora, read_seeds
from training.lines import LABELS, UNLABELLED, Lines, Settings, training_lines
from training.stages import fit_linear, fit_network, gram_matrix
from training.synthetic import synthetic_pages
from training.threshold import choose_threshold, keep_score

_ROOT = Path(__file__).parent.parent
#: What a trained model depends on; training again is only skipped while none of it has changed.
_CODE = (
    *("cleaner/records.py", "cleaner/segment/plain.py", "cleaner/evidence/*.py", "cleaner/model/network.py"),
    "cleaner/pipeline.py",
    *(f"training/{name}.py" for name in ("corpora", "synthetic", "lines", "stages", "threshold", "fit")),
)
_MEMORY = Memory(_ROOT / ".cache" / "training", verbose=0)


def out_of_fold(
    lines: Lines, matrix: sparse.csr_matrix, real: NDArray[np.bool_], settings: Settings
) -> NDArray[np.float64]:
    """Stage 1's log-probabilities of every line, each by a model that saw no page of the line's fold."""
    folds = sorted(set(lines.fold.tolist()))

    def one(fold: int) -> NDArray[np.float64]:
        train = real & (lines.fold != fold) & (lines.label >= 0)
        arrays = fit_linear(matrix[train], lines.label[train], lines.weight[train], settings)
        return Linear.from_arrays(arrays).log_probabilities(lines.evidence.grams)

    result = np.zeros((len(lines.label), len(LABELS)))
    for fold, scores in zip(folds, Parallel(n_jobs=2, prefer="threads")(delayed(one)(f) for f in folds), strict=True):
        result[lines.fold == fold] = scores[lines.fold == fold]
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What training yields: the arrays of a model folder and its threshold."""

    arrays: dict[str, NDArray[Any]]
    min_score: float
    own_share: float

    def model(self, name: str = "trained") -> store.Model:
        """The model as the library runs it."""
        return store.Model(
            name=name,
            folder=Path(name),
            min_score=self.min_score,
            own_share=self.own_share,
            linear=Linear.from_arrays(self.arrays),
            network=Network.from_arrays(self.arrays),
        )


def fit(pages: Sequence[Page], settings: Settings) -> Trained:
    """Train both stages and choose the threshold.

    Args:
        pages: real labelled pages; synthetic ones are made of them, fold by fold.
        settings: the choices of the run.
    """
    folds = sorted({page.fold for page in pages})
    made = [
        page
        for fold in folds
        for page in synthetic_pages(
            [page for page in pages if page.fold == fold], settings.copies, settings.seed + fold
        )
    ]
    lines = training_lines([*pages, *made], settings)
    real = np.arange(len(lines.label)) < sum(len(page.labels) for page in pages)
    labelled = lines.label != UNLABELLED
    matrix = gram_matrix(lines.evidence.grams, settings.bits)

    own = out_of_fold(lines, matrix, real & labelled, settings)
    features = network_input(lines.evidence, own)
    # what the network decides is judged by the words it keeps and takes
    weight = lines.weight * (1 + np.log2(1 + lines.evidence.grams[1].count))
    score = np.zeros(len(lines.label))
    for fold in folds:
        rows = labelled & (lines.fold != fold)
        network = Network.from_arrays(fit_network(features[rows], lines.label[rows], weight[rows], settings))
        held = lines.fold == fold
        score[held] = keep_score(blend(network.logits(features[held]), own[held], settings.own_share))
    min_score = choose_threshold(lines, score)

    train = real & labelled
    arrays = {
        **fit_linear(matrix[train], lines.label[train], lines.weight[train], settings),
        **fit_network(features[labelled], lines.label[labelled], weight[labelled], settings),
    }
    return Trained(arrays, min_score, settings.own_share)


def cached_fit(pages: Sequence[Page], settings: Settings) -> Trained:
    """`fit`, or what it gave before for the same pages, settings and code."""
    trained: Trained = _MEMORY.cache(_fit_for_code)(list(pages), settings, _code_digest())
    return trained


def _fit_for_code(pages: list[Page], settings: Settings, code: str) -> Trained:
    # one thread a matrix product: the order of its sums, and so the model, does not depend on the number of cores
    with threadpool_limits(1):
        return fit(pages, settings)


def _code_digest() -> str:
    """Changes whenever a module changes that training depends on."""
    digest = hashlib.sha256()
    for pattern in _CODE:
        for module in sorted(_ROOT.glob(pattern)):
            digest.update(module.read_bytes())
    return digest.hexdigest()


def main(
    corpora: Annotated[Path, typer.Option(help="The folder that holds labelled-pages/.")] = CORPORA,
    out: Annotated[Path, typer.Option(help="The model folder to write.")] = _ROOT / "models" / store.DEFAULT,
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
    counts = Counter(page.corpus for page in pages)
    config = {
        "min_score": trained.min_score,
        "own_share": trained.own_share,
        "trained_on": dict(sorted(counts.items())),
        "settings": dataclasses.asdict(settings),
    }
    card = out / "README.md"
    store.save(out, trained.arrays, config, card.read_text(encoding="utf-8") if card.exists() else _CARD)
    typer.echo(f"{out}: trained on {len(pages):,} pages, threshold {trained.min_score:.2f}.")


_CARD = "# A line classifier for cleaner\n\nTrained with `python -m training.fit`; `config.json` says on what.\n"

if __name__ == "__main__":
    typer.run(main)

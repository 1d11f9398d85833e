"""Train the model and write its folder: `python -m training.fit`.

Two stages. (1) A linear model over the hashed n-grams of a line, one-vs-rest logistic regression by stochastic
gradient descent. (2) A network with one hidden layer over the line's shape and the windowed scores of stage 1;
those scores are out of fold by host, so that stage 2 learns from scores as good as it will meet. The threshold
is chosen on out-of-fold scores of stage 2.
"""

from __future__ import annotations

import dataclasses
import hashlib
import warnings
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
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from cleaner.evidence.ngrams import Grams
from cleaner.model import store
from cleaner.model.network import EXACT, HIDDEN_MAX, INPUT_MAX, Linear, Network, blend
from cleaner.pipeline import Evidence, gather, network_input
from cleaner.records import DEFAULT_KEEP, Label
from training.corpora import CORPORA, SEEDS, Page, read_corpora, read_seeds
from training.synthetic import SYNTHETIC, origin_of, synthetic_pages

LABELS = list(Label)
UNLABELLED = -1
_ROOT = Path(__file__).parent.parent
#: What a trained model depends on; training again is only skipped while none of it has changed.
_CODE = (
    *("cleaner/records.py", "cleaner/segment/plain.py", "cleaner/evidence/*.py", "cleaner/model/network.py"),
    *("training/corpora.py", "training/synthetic.py", "training/fit.py"),
)
_MEMORY = Memory(_ROOT / ".cache" / "training", verbose=0)
_KEPT = [i for i, label in enumerate(Label) if label in DEFAULT_KEEP]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices of a training run; `training/README` says how they were found.

    Attributes:
        bits: logarithm of the number of n-gram buckets.
        copies: synthetic pages made of each real one.
        synthetic_weight: what a line of a synthetic page weighs beside one of a labelled page.
        seed_weight: what a line of a seed weighs beside one of a labelled page.
        alpha: strength of the linear model's L2 penalty.
        epochs: passes of the linear model over its lines.
        hidden: units of the network.
        decay: strength of the network's L2 penalty.
        networks: how many networks are averaged.
        own_share: the say of the linear model in the final score.
        passes: passes of the network over its lines.
        rarity: a label's lines weigh its frequency to the power of minus this.
        crowding: a page's lines weigh their number to the power of minus this.
        seed: of every generator.
    """

    bits: int = 18
    copies: int = 3
    synthetic_weight: float = 0.5
    seed_weight: float = 5.0
    alpha: float = 2e-6
    epochs: int = 6
    hidden: int = 64
    decay: float = 1e-3
    networks: int = 3
    own_share: float = 0.2
    passes: int = 8
    rarity: float = 0.3
    crowding: float = 0.3
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The lines of many pages as training data.

    Attributes:
        pages: the pages, in order.
        evidence: what is known of their lines.
        label: int64 [lines], index into `LABELS`, or `UNLABELLED`.
        fold: int64 [lines].
        weight: float64 [lines], 0 for unlabelled lines.
    """

    pages: list[Page]
    evidence: Evidence
    label: NDArray[np.int64]
    fold: NDArray[np.int64]
    weight: NDArray[np.float64]


def training_lines(pages: Sequence[Page], settings: Settings) -> Lines:
    """Compute the evidence and the weights of the lines of some pages."""
    evidence = gather([page.text for page in pages], settings.bits)
    sizes = [len(page.labels) for page in pages]
    label = np.array(
        [UNLABELLED if label is None else LABELS.index(label) for page in pages for label in page.labels],
        dtype=np.int64,
    )
    frequency = np.bincount(label[label >= 0], minlength=len(LABELS)) / max(len(label), 1)
    size = np.repeat(sizes, sizes)
    weight = np.maximum(frequency, 1e-6)[label] ** -settings.rarity * size**-settings.crowding
    weight[label == UNLABELLED] = 0.0
    trust = {SYNTHETIC: settings.synthetic_weight, SEEDS.name: settings.seed_weight}
    weight *= np.repeat([trust.get(page.corpus, 1.0) for page in pages], sizes)
    return Lines(list(pages), evidence, label, np.repeat([page.fold for page in pages], sizes), weight / weight.mean())


def gram_matrix(grams: tuple[Grams, ...], bits: int) -> sparse.csr_matrix:
    """The n-gram counts of each line, scaled as `Linear` scales them: float32 [lines, 2^bits]."""
    counts = None
    for kind in grams:
        lines = len(kind.first)
        edges = np.append(kind.first, len(kind.bucket))
        row = np.repeat(np.arange(lines), np.diff(edges))
        bucket = kind.bucket[edges[0] :]
        real = bucket < 1 << bits
        part = sparse.csr_matrix(
            (np.ones(int(real.sum()), dtype=np.float32), (row[real], bucket[real])), shape=(lines, 1 << bits)
        )
        counts = part if counts is None else counts + part
    root = np.sqrt(np.maximum(sum(kind.count for kind in grams), 1))
    return (sparse.diags((1 / root).astype(np.float32)) @ counts).tocsr()


def fit_linear(
    matrix: sparse.csr_matrix, label: NDArray[np.int64], weight: NDArray[np.float64], settings: Settings
) -> dict[str, NDArray[Any]]:
    """Train stage 1 and round its weights to int8."""
    model = SGDClassifier(
        loss="log_loss",
        alpha=settings.alpha,
        max_iter=settings.epochs,
        tol=None,
        average=True,
        random_state=settings.seed,
    )
    model.fit(matrix, label, sample_weight=weight / weight.mean())
    coefficient = np.zeros((len(LABELS), matrix.shape[1]))
    bias = np.full(len(LABELS), -12.0)
    # with two classes there is one row of weights, for the second of them
    rows = model.coef_ if len(model.classes_) > 2 else np.concatenate([-model.coef_, model.coef_])
    intercepts = model.intercept_ if len(model.classes_) > 2 else np.append(-model.intercept_, model.intercept_)
    coefficient[model.classes_] = rows
    bias[model.classes_] = intercepts
    scale = 1 / 16
    weight8 = np.clip(np.rint(coefficient.T / scale), -127, 127).astype(np.int8)
    return {"linear_weight": weight8, "linear_scale": np.array(scale), "linear_bias": bias}


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


def fit_network(
    features: NDArray[np.int8], label: NDArray[np.int64], weight: NDArray[np.float64], settings: Settings
) -> dict[str, NDArray[Any]]:
    """Train stage 2 and round its weights to whole numbers.

    Several networks that differ in their seed are averaged in logits, which makes them one with more units.
    """
    rows = features.astype(np.float32)
    mean = rows.mean(axis=0)
    # a feature that hardly varies must not be blown up by its tiny deviation
    deviation = rows.std(axis=0) + 4.0
    scaled = (rows - mean) / deviation
    weight = weight / weight.mean()

    def one(seed: int) -> tuple[NDArray[np.float64], ...]:
        return _train_network(scaled, label, weight, dataclasses.replace(settings, seed=settings.seed + seed))

    with warnings.catch_warnings():  # the number of passes is a choice here, not a failure to converge
        warnings.simplefilter("ignore", ConvergenceWarning)
        parts = Parallel(n_jobs=2, prefer="threads")(delayed(one)(seed) for seed in range(settings.networks))
    first = np.concatenate([part[0] for part in parts], axis=1) / deviation[:, None]
    first_bias = np.concatenate([part[1] for part in parts]) - mean @ first
    output = np.concatenate([part[2] for part in parts]) / len(parts)
    output_bias = np.mean([part[3] for part in parts], axis=0)
    return quantise(first, first_bias, output, output_bias, rows)


def _train_network(
    scaled: NDArray[np.float32], label: NDArray[np.int64], weight: NDArray[np.float64], settings: Settings
) -> tuple[NDArray[np.float64], ...]:
    """The two layers' weights and biases: [inputs, hidden], [hidden], [hidden, labels], [labels]."""
    model = MLPClassifier(
        (settings.hidden,),
        alpha=settings.decay,
        batch_size=min(512, len(scaled)),
        max_iter=settings.passes,
        n_iter_no_change=settings.passes + 1,
        tol=0.0,
        random_state=settings.seed,
    )
    model.fit(scaled, label, sample_weight=weight)
    (first, second), (first_bias, second_bias) = model.coefs_, model.intercepts_
    if second.shape[1] == 1:  # with two classes there is one output, for the second of them
        second, second_bias = np.hstack([0 * second, second]), np.append(0.0, second_bias)
    output, output_bias = np.zeros((len(second), len(LABELS))), np.full(len(LABELS), -12.0)
    output[:, model.classes_], output_bias[model.classes_] = second, second_bias
    return first, first_bias, output, output_bias


def quantise(
    first: NDArray[np.float64],
    first_bias: NDArray[np.float64],
    output: NDArray[np.float64],
    output_bias: NDArray[np.float64],
    rows: NDArray[np.float32],
) -> dict[str, NDArray[Any]]:
    """Round a network to whole numbers so small that every sum in it is exact in float32."""
    limit = EXACT - 1
    unit = (np.abs(first).sum(axis=0) * INPUT_MAX + np.abs(first_bias) + 1e-9) / (limit - INPUT_MAX * len(first))
    hidden_weight, hidden_bias = np.rint(first / unit), np.rint(first_bias / unit)
    largest = np.maximum((rows @ first.astype(np.float32) + first_bias).max(axis=0), 1e-6)
    hidden_scale = unit * HIDDEN_MAX / largest
    scaled = output * (largest / HIDDEN_MAX)[:, None]
    step = (np.abs(scaled).sum(axis=0) * HIDDEN_MAX + np.abs(output_bias)).max() / (limit - HIDDEN_MAX * len(output))
    return {
        "hidden_weight": hidden_weight.astype(np.int32),
        "hidden_bias": hidden_bias.astype(np.int32),
        "hidden_scale": hidden_scale.astype(np.float32),
        "output_weight": np.rint(scaled / step).astype(np.int32),
        "output_bias": np.rint(output_bias / step).astype(np.int32),
        "output_scale": np.array(step),
    }


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


def keep_score(log_probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of the labels that are kept by default."""
    total: NDArray[np.float64] = np.exp(log_probability[:, _KEPT]).sum(axis=1)
    return total


def choose_threshold(lines: Lines, score: NDArray[np.float64]) -> float:
    """The highest threshold whose word F1 of the kept text is within one standard error of the best.

    The mean over pages hardly moves over a wide range of thresholds, because boilerplate has few words; readers see
    its lines. The one-standard-error rule (Breiman et al. 1984, Classification and Regression Trees, 3.4.3) takes
    the most removal that the data cannot tell from the best. A page and its synthetic copies together count as one
    page, half for the full dump and half for the leftovers. Words are counted by line.
    """
    words = lines.evidence.grams[1].count * (lines.label != UNLABELLED)
    gold = np.isin(lines.label, _KEPT)
    first = lines.evidence.lines.first[:-1]
    wanted = np.add.reduceat(words * gold, first)
    some = wanted > 0
    origins: dict[tuple[str, str], int] = {}
    origin = np.array([origins.setdefault(origin_of(page), len(origins)) for page in lines.pages])[some]
    made = np.array([page.corpus == SYNTHETIC for page in lines.pages])[some]

    def mean_by_origin(f1: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        count = np.bincount(origin[chosen], minlength=len(origins))
        total = np.bincount(origin[chosen], f1[chosen], minlength=len(origins))
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    candidates = np.arange(5, 96) / 100
    means, errors = [], []
    for threshold in candidates:
        kept = score >= threshold
        right = np.add.reduceat(words * (gold & kept), first)[some]
        taken = np.add.reduceat(words * kept, first)[some]
        f1 = 2 * right / (wanted[some] + taken)
        pair = np.stack([mean_by_origin(f1, made), mean_by_origin(f1, ~made)])
        each = np.nanmean(pair[:, ~np.isnan(pair).all(axis=0)], axis=0)
        means.append(each.mean())
        errors.append(each.std() / np.sqrt(len(each)))
    best = int(np.argmax(means))
    good_enough = np.flatnonzero(np.array(means) >= means[best] - errors[best])
    return float(candidates[good_enough[-1]])


def cached_fit(pages: Sequence[Page], settings: Settings) -> Trained:
    """`fit`, or what it gave before for the same pages, settings and code."""
    trained: Trained = _MEMORY.cache(_fit_for_code)(list(pages), settings, _code_digest())
    return trained


def _fit_for_code(pages: list[Page], settings: Settings, code: str) -> Trained:
    # one thread for each matrix product: the order of its sums, and so the model, is then the same with any number of cores
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

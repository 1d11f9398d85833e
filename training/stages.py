"""The two stages of the model: trained with scikit-learn, rounded to the whole numbers that the library runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier

from cleaner.evidence.gather import Evidence
from cleaner.evidence.ngrams import Grams
from cleaner.model.network import BYTE_UNIT_MAX, BYTE_WEIGHT_MAX, EXACT, HIDDEN_MAX, INPUT_MAX
from cleaner.model.store import CONTENT
from training.convolution import Examples, largest_units, train
from training.lines import LABELS, Settings


def out_of_fold(fold: NDArray[np.int64], scores: Callable[[int], NDArray[np.float64]]) -> NDArray[np.float64]:
    """The scores of all lines, those of each fold by what saw no page of it.

    Args:
        fold: int64 [lines].
        scores: given a fold, the scores of its lines, [lines of the fold, columns].
    """
    folds = sorted(set(fold.tolist()))
    parts = Parallel(n_jobs=2, prefer="threads")(delayed(scores)(held) for held in folds)
    result = np.zeros((len(fold), parts[0].shape[1]))
    for held, part in zip(folds, parts, strict=True):
        result[fold == held] = part
    return result


def line_of_each(grams: Grams) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The line that each n-gram stands in, and its bucket; what stands before the first line is left out."""
    edges = np.append(grams.first, len(grams.bucket))
    return np.repeat(np.arange(len(grams.first)), np.diff(edges)), grams.bucket[edges[0] :]


def gram_matrix(grams: tuple[Grams, ...], bits: int) -> sparse.csr_matrix:
    """The n-gram counts of each line, scaled as `Linear` scales them: float32 [lines, 2^bits]."""
    counts = None
    for kind in grams:
        row, bucket = line_of_each(kind)
        real = bucket < 1 << bits
        part = sparse.csr_matrix(
            (np.ones(int(real.sum()), dtype=np.float32), (row[real], bucket[real])), shape=(len(kind.first), 1 << bits)
        )
        counts = part if counts is None else counts + part
    root = np.sqrt(np.maximum(sum(kind.count for kind in grams), 1))
    return (sparse.diags((1 / root).astype(np.float32)) @ counts).tocsr()


def own_matrix(evidence: Evidence, settings: Settings) -> sparse.csr_matrix:
    """All that a line says alone: its n-grams and, on a page of HTML, the names of the elements around it."""
    words = gram_matrix(evidence.grams, settings.bits)
    if evidence.markup is None:
        return words
    places = gram_matrix((evidence.markup.places,), settings.place_bits)
    return sparse.hstack([words, places[evidence.markup.place]]).tocsr()


def neighbour_matrix(
    words: Grams, has_before: NDArray[np.bool_], has_after: NDArray[np.bool_], bits: int
) -> sparse.csr_matrix:
    """The words of the line before and of the line after, scaled as `Neighbours` scales them.

    Returns:
        float32 [lines, 2 * 2^bits], the words before in the first half.
    """
    narrow = dataclasses.replace(words, bucket=words.bucket >> (words.bits - bits), bits=bits)
    matrix = gram_matrix((narrow,), bits)
    lines = matrix.shape[0]
    sides = []
    for has, step in ((has_before, -1), (has_after, 1)):
        line = np.flatnonzero(has)
        pick = sparse.csr_matrix((np.ones(len(line), np.float32), (line, line + step)), shape=(lines, lines))
        sides.append(pick @ matrix)
    return sparse.hstack(sides).tocsr()


def fit_linear(
    matrix: sparse.csr_matrix,
    label: NDArray[np.int64],
    weight: NDArray[np.float64],
    settings: Settings,
    rare: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Train one-vs-rest logistic regression: weights [columns, labels] and bias [labels].

    Args:
        matrix: [lines, columns], counts of n-grams, scaled line by line.
        label: int64 [lines], index into `LABELS`.
        weight: float64 [lines].
        settings: the choices of the run.
        rare: how much larger than a common n-gram a rare one is taken: by its inverse document frequency (Sparck Jones
            1972) to this power. The weights say the same of counts that are not scaled so.
    """
    model = SGDClassifier(
        loss="log_loss",
        alpha=settings.alpha,
        max_iter=settings.epochs,
        tol=None,
        # the mean of the weights over the steps, from a step on; the first passes are far from where they end
        average=max(1, settings.unaveraged_epochs * len(label)),
        random_state=settings.seed,
    )
    scale = _rarity_scale(matrix, rare)
    scaled = (matrix @ sparse.diags(scale)).tocsr() if rare else matrix
    model.fit(scaled, label, sample_weight=weight / weight.mean())
    coefficient = np.zeros((matrix.shape[1], len(LABELS)))
    bias = np.full(len(LABELS), -12.0)
    # with two classes there is one row of weights, for the second of them
    rows = model.coef_ if len(model.classes_) > 2 else np.concatenate([-model.coef_, model.coef_])
    intercepts = model.intercept_ if len(model.classes_) > 2 else np.append(-model.intercept_, model.intercept_)
    coefficient[:, model.classes_] = rows.T * scale[:, None]
    bias[model.classes_] = intercepts
    return coefficient, bias


def _rarity_scale(matrix: sparse.csr_matrix, power: float) -> NDArray[np.float32]:
    """The inverse document frequency of n-grams to some power, 1 in the mean of all that occur: float32 [columns]."""
    lines = np.bincount(matrix.indices, minlength=matrix.shape[1])
    rare = np.log((1 + matrix.shape[0]) / np.maximum(lines, 1)) ** power
    scale: NDArray[np.float32] = (rare / np.average(rare, weights=lines)).astype(np.float32)
    return scale


_SCALE = 1 / 16


def _rounded(coefficient: NDArray[np.float64]) -> NDArray[np.int8]:
    return np.clip(np.rint(coefficient / _SCALE), -127, 127).astype(np.int8)


def linear_arrays(
    coefficient: NDArray[np.float64], bias: NDArray[np.float64], settings: Settings
) -> dict[str, NDArray[Any]]:
    """A linear model over `own_matrix` as `Linear` reads it, its weights as int8."""
    words, places = np.split(_rounded(coefficient), [1 << settings.bits])
    arrays = {"linear_weight": words, "linear_scale": np.array(_SCALE), "linear_bias": bias}
    return {**arrays, "place_weight": places} if len(places) else arrays


def neighbour_arrays(coefficient: NDArray[np.float64], bias: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """A linear model over `neighbour_matrix` as `Neighbours` reads it, its weights as int8."""
    before, after = np.split(_rounded(coefficient), 2)
    return {
        "before_weight": before,
        "after_weight": after,
        "neighbours_scale": np.array(_SCALE),
        "neighbours_bias": bias,
    }


def fit_networks(examples: Examples, settings: Settings) -> dict[str, NDArray[Any]]:
    """Train stage 2, the arrays that a model folder holds of it."""
    if settings.dilations:
        return fit_wide_networks(examples, settings)
    some = examples.weight > 0
    arrays = fit_network(examples.features[some], examples.label[some], examples.weight[some], settings)
    some = examples.wanted_weight > 0
    if some.any():
        unwanted = (~examples.wanted[some]).astype(np.int64)
        content = fit_network(examples.features[some], unwanted, examples.wanted_weight[some], settings, classes=2)
        arrays |= {f"{CONTENT}{name}": array for name, array in content.items()}
    return arrays


def fit_network(
    features: NDArray[np.int8],
    label: NDArray[np.int64],
    weight: NDArray[np.float64],
    settings: Settings,
    classes: int = len(LABELS),
) -> dict[str, NDArray[Any]]:
    """Train a network that sees one line at a time, and round its weights to whole numbers.

    Several networks that differ in their seed are averaged in logits, which makes them one with more units.
    """
    rows = features.astype(np.float32)
    mean = rows.mean(axis=0)
    # a feature that hardly varies must not be blown up by its tiny deviation
    deviation = rows.std(axis=0) + 4.0
    scaled = (rows - mean) / deviation
    weight = weight / weight.mean()

    def one(seed: int) -> tuple[NDArray[np.float64], ...]:
        return _train_network(scaled, label, weight, dataclasses.replace(settings, seed=settings.seed + seed), classes)

    parts = Parallel(n_jobs=2, prefer="threads")(delayed(one)(seed) for seed in range(settings.networks))
    first = np.concatenate([part[0] for part in parts], axis=1) / deviation[:, None]
    first_bias = np.concatenate([part[1] for part in parts]) - mean @ first
    output = np.concatenate([part[2] for part in parts]) / len(parts)
    output_bias = np.mean([part[3] for part in parts], axis=0)
    return quantise(first, first_bias, output, output_bias, rows)


def _train_network(
    scaled: NDArray[np.float32],
    label: NDArray[np.int64],
    weight: NDArray[np.float64],
    settings: Settings,
    classes: int,
) -> tuple[NDArray[np.float64], ...]:
    """The two layers' weights and biases: [inputs, hidden], [hidden], [hidden, labels], [labels]."""
    model = MLPClassifier(
        (settings.hidden,),
        alpha=settings.decay,
        batch_size=min(settings.batch, len(scaled)),
        random_state=settings.seed,
    )
    for _ in range(settings.passes):
        model.partial_fit(scaled, label, classes=np.arange(classes), sample_weight=weight)
    (first, output), (first_bias, output_bias) = model.coefs_, model.intercepts_
    if classes == 2:  # one logit stands for both
        output, output_bias = np.hstack([-output / 2, output / 2]), np.concatenate([-output_bias / 2, output_bias / 2])
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
    unit = _units(first, first_bias, INPUT_MAX)
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


def _units(weight: NDArray[np.floating], bias: NDArray[np.floating], largest: int) -> NDArray[np.float64]:
    """What a whole number is worth in the weights of each output, so that no sum reaches `EXACT`.

    Args:
        weight: [inputs, outputs].
        bias: [outputs].
        largest: the largest input.
    """
    room = EXACT - 1 - largest * len(weight)
    units: NDArray[np.float64] = (np.abs(weight).sum(axis=0) * largest + np.abs(bias) + 1e-9) / room
    return units


def _hidden_arrays(
    weight: NDArray[np.floating], bias: NDArray[np.floating], unit: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """The hidden layer in whole numbers; `unit` is what a whole number is worth in each hidden unit."""
    step = _units(weight, bias, INPUT_MAX)
    return {
        "hidden_weight": np.rint(weight / step).astype(np.int32),
        "hidden_bias": np.rint(bias / step).astype(np.int32),
        "hidden_scale": (step / unit).astype(np.float32),
    }


def _output_arrays(
    weight: NDArray[np.floating], bias: NDArray[np.floating], unit: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    scaled = weight * unit[:, None]
    step = _units(scaled, bias, HIDDEN_MAX).max()
    return {
        "output_weight": np.rint(scaled / step).astype(np.int32),
        "output_bias": np.rint(bias / step).astype(np.int32),
        "output_scale": np.array(step),
    }


def fit_wide_networks(examples: Examples, settings: Settings) -> dict[str, NDArray[Any]]:
    """Train networks that look at the lines around, and round their weights to whole numbers.

    Several that differ in their seed are averaged in logits: one network whose units come in groups.
    """
    seeds = range(settings.seed, settings.seed + settings.networks)
    trained = Parallel(n_jobs=2, prefer="threads")(delayed(train)(examples, settings, seed) for seed in seeds)
    largest = np.concatenate([largest_units(part, examples, settings) for part in trained])
    unit = np.maximum(largest.astype(np.float64), 1e-6) / HIDDEN_MAX
    hidden = np.concatenate([part.hidden for part in trained], axis=1)
    weights, biases, scales = [], [], []
    for parts in zip(*(part.layers for part in trained), strict=True):
        for (kernel, bias), units in zip(parts, np.split(unit, len(parts)), strict=True):
            scaled = (kernel * units[:, None]).reshape(-1, len(units))
            step = _units(scaled, bias, HIDDEN_MAX)
            weights.append(np.rint(scaled / step).reshape(kernel.shape))
            biases.append(np.rint(bias / step))
            scales.append(step / units)
    layers, groups = len(settings.dilations), settings.networks
    output = np.concatenate([part.output for part in trained]) / groups
    return {
        **_hidden_arrays(hidden, np.concatenate([part.hidden_bias for part in trained]), unit),
        "layer_step": np.array(settings.dilations),
        "layer_weight": np.array(weights, dtype=np.int32).reshape(layers, groups, *weights[0].shape),
        "layer_bias": np.array(biases, dtype=np.int32).reshape(layers, -1),
        "layer_scale": np.array(scales, dtype=np.float32).reshape(layers, -1),
        **_output_arrays(output, np.mean([part.output_bias for part in trained], axis=0), unit),
    }


def in_bytes(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """A network with its hidden units, and the weights between them, in whole numbers of 8 bits: a third of its time.

    A processor multiplies four of them at once where it multiplies two of 16 bits (Jacob et al. 2018, arXiv
    1712.05877). A network that sees one line at a time has none of those weights and stays as it is.

    Args:
        arrays: from `fit_wide_networks`.
    """
    if "layer_weight" not in arrays:
        return arrays
    weight = arrays["layer_weight"].astype(np.float64)  # layers, groups, 3, units, units
    factor = BYTE_WEIGHT_MAX / np.maximum(np.abs(weight).max(axis=(2, 3)), 1)
    by_unit = factor.reshape(len(weight), -1)
    coarser = HIDDEN_MAX / BYTE_UNIT_MAX
    return arrays | {
        "unit_max": np.array(BYTE_UNIT_MAX),
        "hidden_scale": (arrays["hidden_scale"] / coarser).astype(np.float32),
        "layer_weight": np.rint(weight * factor[:, :, None, None, :]).astype(np.int8),
        "layer_bias": np.rint(arrays["layer_bias"] * by_unit / coarser).astype(np.int32),
        "layer_scale": (arrays["layer_scale"] / by_unit).astype(np.float32),
        "output_bias": np.rint(arrays["output_bias"] / coarser).astype(np.int32),
        "output_scale": arrays["output_scale"] * coarser,
    }

"""Train the network of stage 2: one hidden layer, then layers that look at the lines around, trained as one.

scikit-learn's networks see one line at a time; what stands around a line would have to be put into features by hand.
Here it is learned: each layer adds to a line's hidden units what it finds in them a few lines before and after
(dilated convolutions with residuals, as in Strubell et al. 2017, arXiv 1702.02098, for tagging words). The gradient is
written out below; a test holds it against differences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence.context import running
from training.lines import LABELS, Settings

Floats = NDArray[np.float32]

_LEARNING_RATE, _LAST_RATE = 3e-3, 0.02
#: The inputs left out in a step, as a share of the hidden units left out.
_INPUT_DROPOUT = 0.5
#: Adam's decays and guard (Kingma and Ba 2015, arXiv 1412.6980).
_FIRST, _SECOND, _GUARD = 0.9, 0.999, 1e-8
_LARGEST_GRADIENT = 1.0
_CONTENT_WEIGHT = 0.5
#: What keeps a feature that hardly varies from being blown up.
_LEAST_DEVIATION = 4.0
_ROWS = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """What the network is trained on: the lines of documents, whole documents at a time.

    Attributes:
        features: int8 [lines, inputs].
        first: int64 [documents + 1], the first line of each.
        label: int64 [lines], index into `LABELS`; any where the weight is 0.
        weight: float64 [lines], what the label weighs.
        wanted: bool [lines], whether a reader wants the line.
        wanted_weight: float64 [lines], what that weighs; all 0 for a network that does not say it.
    """

    features: NDArray[np.int8]
    first: NDArray[np.int64]
    label: NDArray[np.int64]
    weight: NDArray[np.float64]
    wanted: NDArray[np.bool_]
    wanted_weight: NDArray[np.float64]

    @property
    def place(self) -> NDArray[np.int64]:
        """Each line's place in its document, from 0."""
        return np.arange(len(self.label)) - np.repeat(self.first[:-1], np.diff(self.first))

    @property
    def says_wanted(self) -> bool:
        """Whether a further output is trained: whether a reader wants the line."""
        return bool(self.wanted_weight.any())


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The lines of one step, of whole documents.

    Attributes:
        inputs: float32 [lines, inputs], scaled.
        place: [lines], each line's place in its document.
        mask: float32 [lines, hidden], what dropout leaves of the first layer.
        label: [lines], index into `LABELS`.
        pull: float32 [lines], what the label weighs.
        wanted: bool [lines], whether a reader wants the line.
        wanted_pull: float32 [lines], what that weighs.
    """

    inputs: Floats
    place: NDArray[np.int64]
    mask: Floats
    label: NDArray[np.int64]
    pull: Floats
    wanted: NDArray[np.bool_]
    wanted_pull: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained network, in floats.

    Attributes:
        hidden, hidden_bias: [inputs, hidden] and [hidden].
        layers: for each layer the weights of the lines before, here and after, [3, hidden, hidden], and [hidden].
        output, output_bias: [hidden, outputs] and [outputs].
    """

    hidden: Floats
    hidden_bias: Floats
    layers: tuple[tuple[Floats, Floats], ...]
    output: Floats
    output_bias: Floats

    def hidden_units(self, inputs: Floats, place: NDArray[np.int64], settings: Settings) -> Floats:
        """The hidden units of lines after the last layer, [lines, hidden].

        Args:
            inputs: float32 [lines, inputs], of whole documents.
            place: [lines], each line's place in its document.
            settings: the choices of the run.
        """
        weights = [self.hidden, self.hidden_bias, *(part for layer in self.layers for part in layer)]
        return _forward(weights, settings.dilations, inputs, place, np.ones(settings.hidden, dtype=np.float32))[0]


def train(examples: Examples, settings: Settings, seed: int) -> Trained:
    """Train one network by Adam, its steps falling to nearly nothing along a cosine (arXiv 1608.03983).

    Args:
        examples: whole documents; those without a weighted line are left out.
        settings: the choices of the run.
        seed: of this network.
    """
    rng = np.random.default_rng(seed)
    mean, deviation = _spread(examples)
    weights = list(start(rng, examples.features.shape[1], settings, len(LABELS) + examples.says_wanted))
    moments = [(np.zeros_like(weight), np.zeros_like(weight)) for weight in weights]
    documents, place = _weighted_documents(examples), examples.place
    batches = [batch for _ in range(settings.passes) for batch in _batches(examples, documents, settings, rng)]
    pull = (_at_mean_one(examples.weight) / settings.batch).astype(np.float32)
    wanted_pull = (_CONTENT_WEIGHT * _at_mean_one(examples.wanted_weight) / settings.batch).astype(np.float32)
    for step, rows in enumerate(batches):
        inputs = (examples.features[rows].astype(np.float32) - mean) / deviation
        inputs *= _left(rng, inputs.shape, _INPUT_DROPOUT * settings.dropout)
        mask = _left(rng, (len(rows), settings.hidden), settings.dropout)
        batch = Batch(
            inputs, place[rows], mask, examples.label[rows], pull[rows], examples.wanted[rows], wanted_pull[rows]
        )
        gradients = gradient(weights, settings.dilations, batch)
        rate = _LEARNING_RATE * (_LAST_RATE + (1 - _LAST_RATE) * (1 + np.cos(np.pi * step / len(batches))) / 2)
        for weight in weights:
            weight *= np.float32(1 - rate * settings.decay * (weight.ndim > 1))
        _adam(weights, gradients, moments, step + 1, rate)
    hidden = weights[0] / deviation[:, None]
    return Trained(
        hidden,
        weights[1] - mean @ hidden,
        tuple(zip(weights[2:-2:2], weights[3:-2:2], strict=True)),
        weights[-2],
        weights[-1],
    )


def _left(rng: np.random.Generator, shape: tuple[int, ...], dropout: float) -> Floats:
    """What dropout leaves of some values: 0 for a share of them, more than 1 for the rest, 1 in the mean."""
    return (rng.random(shape, dtype=np.float32) >= dropout).astype(np.float32) / np.float32(1 - dropout)


def _at_mean_one(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights scaled so that those above 0 are 1 in the mean."""
    scaled: NDArray[np.float64] = weight / max(weight.sum() / max(np.count_nonzero(weight), 1), 1e-12)
    return scaled


def largest_units(trained: Trained, examples: Examples, settings: Settings) -> Floats:
    """The largest value of each hidden unit on the documents that the network was trained on: [hidden]."""
    largest, place = np.zeros(settings.hidden, dtype=np.float32), examples.place
    for rows in _batches(examples, _weighted_documents(examples), settings, np.random.default_rng(0)):
        hidden = trained.hidden_units(examples.features[rows].astype(np.float32), place[rows], settings)
        largest = np.maximum(largest, hidden.max(axis=0))
    return largest


def _spread(examples: Examples) -> tuple[Floats, Floats]:
    total, square, count = 0.0, 0.0, max(len(examples.features), 1)
    for at in range(0, len(examples.features), _ROWS):
        rows = examples.features[at : at + _ROWS].astype(np.float64)
        total, square = total + rows.sum(axis=0), square + (rows**2).sum(axis=0)
    mean = np.asarray(total / count)
    deviation = np.sqrt(np.maximum(square / count - mean**2, 0)) + _LEAST_DEVIATION
    return mean.astype(np.float32), deviation.astype(np.float32)


def start(rng: np.random.Generator, inputs: int, settings: Settings, outputs: int) -> Iterator[Floats]:
    """The weights that training begins with, in the order of `Trained`."""

    def uniform(shape: tuple[int, ...], fan_in: int, fan_out: int) -> Floats:
        bound = np.sqrt(6 / (fan_in + fan_out))  # Glorot and Bengio 2010
        return rng.uniform(-bound, bound, shape).astype(np.float32)

    hidden = settings.hidden
    yield uniform((inputs, hidden), inputs, hidden)
    yield np.zeros(hidden, dtype=np.float32)
    for _ in settings.dilations:
        yield uniform((3, hidden, hidden), 3 * hidden, 3 * hidden)
        yield np.zeros(hidden, dtype=np.float32)
    yield uniform((hidden, outputs), hidden, outputs)
    yield np.zeros(outputs, dtype=np.float32)


def _weighted_documents(examples: Examples) -> NDArray[np.int64]:
    weighed = running(((examples.weight > 0) | (examples.wanted_weight > 0)).astype(np.int64))
    return np.flatnonzero(weighed[examples.first[1:]] > weighed[examples.first[:-1]])


def _batches(
    examples: Examples, documents: NDArray[np.int64], settings: Settings, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """The lines of whole documents in a random order, together so many or a few more."""
    some: list[NDArray[np.int64]] = []
    size = 0
    order = rng.permutation(documents).tolist()
    for document in order:
        some.append(np.arange(examples.first[document], examples.first[document + 1]))
        size += len(some[-1])
        if size >= settings.batch or document == order[-1]:
            yield np.concatenate(some)
            some, size = [], 0


def gradient(weights: list[Floats], dilations: tuple[int, ...], batch: Batch) -> list[Floats]:
    """The gradient of the loss of a batch: cross entropy of labels, and of being wanted.

    Args:
        weights: as `start` makes them.
        dilations: how far each layer looks.
        batch: the lines.
    """
    hidden, states, cross = _forward(weights, dilations, batch.inputs, batch.place, batch.mask)
    pulled = _pull(hidden @ weights[-2] + weights[-1], batch)

    result = [np.zeros(0, dtype=np.float32)] * len(weights)
    result[-2], result[-1] = hidden.T @ pulled, pulled.sum(axis=0)
    back = pulled @ weights[-2].T
    for layer in reversed(range(len(dilations))):
        before, added = states[layer]
        far, broken = dilations[layer], cross[layer]
        kernel = weights[2 + 2 * layer]
        inner = back * (added > 0)
        result[3 + 2 * layer] = inner.sum(axis=0)
        result[2 + 2 * layer] = slopes = np.empty_like(kernel)
        slopes[1] = before.T @ inner
        back = back + inner @ kernel[1].T
        if len(inner) > far:
            later, earlier = inner[far:].copy(), inner[:-far].copy()
            later[broken] = 0
            earlier[broken] = 0
            slopes[0], slopes[2] = before[:-far].T @ later, before[far:].T @ earlier
            back[:-far] += later @ kernel[0].T
            back[far:] += earlier @ kernel[2].T
        else:
            slopes[0] = slopes[2] = 0
    inner = back * batch.mask * (states[0][0] > 0 if states else hidden > 0)
    result[0], result[1] = batch.inputs.T @ inner, inner.sum(axis=0)
    return result


def loss(weights: list[Floats], dilations: tuple[int, ...], batch: Batch) -> float:
    """What `gradient` is the gradient of."""
    hidden, _, _ = _forward(weights, dilations, batch.inputs, batch.place, batch.mask)
    logits = hidden @ weights[-2] + weights[-1]
    said = _log_softmax(logits[:, : len(LABELS)])[np.arange(len(batch.label)), batch.label]
    total = -float((said * batch.pull).sum())
    if logits.shape[1] > len(LABELS):
        margin = np.where(batch.wanted, logits[:, -1], -logits[:, -1])
        total += float((np.logaddexp(0, -margin) * batch.wanted_pull).sum())
    return total


def _forward(
    weights: list[Floats], dilations: tuple[int, ...], inputs: Floats, place: NDArray[np.int64], mask: Floats
) -> tuple[Floats, list[tuple[Floats, Floats]], list[NDArray[np.int64]]]:
    """The last hidden units; for each layer what went in and what it added; and the pairs that no document holds."""
    hidden = np.maximum(inputs @ weights[0] + weights[1], 0) * mask
    states, cross = [], []
    for layer, far in enumerate(dilations):
        kernel, bias = weights[2 + 2 * layer], weights[3 + 2 * layer]
        sums = hidden @ kernel[1] + bias
        broken = np.flatnonzero(place[far:] < far)
        if len(hidden) > far:
            for side, taken, put in ((0, hidden[:-far], sums[far:]), (2, hidden[far:], sums[:-far])):
                part = taken @ kernel[side]
                part[broken] = 0
                put += part
        added = np.maximum(sums, 0)
        states.append((hidden, added))
        cross.append(broken)
        hidden = hidden + added
    return hidden, states, cross


def _pull(logits: Floats, batch: Batch) -> Floats:
    """The loss's slope at each output."""
    slope = np.empty_like(logits)
    labels = np.exp(_log_softmax(logits[:, : len(LABELS)]))
    labels[np.arange(len(labels)), batch.label] -= 1
    slope[:, : len(LABELS)] = labels * batch.pull[:, None]
    if logits.shape[1] > len(LABELS):
        slope[:, -1] = (1 / (1 + np.exp(-logits[:, -1])) - batch.wanted) * batch.wanted_pull
    return slope


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def _adam(
    weights: list[Floats], gradients: list[Floats], moments: list[tuple[Floats, Floats]], step: int, rate: float
) -> None:
    size = np.sqrt(sum(float((slope**2).sum()) for slope in gradients))
    shrink = np.float32(min(1.0, _LARGEST_GRADIENT / max(size, 1e-12)))
    for weight, slope, (first, second) in zip(weights, gradients, moments, strict=True):
        slope = slope * shrink
        first += np.float32(1 - _FIRST) * (slope - first)
        second += np.float32(1 - _SECOND) * (slope**2 - second)
        unbiased = np.sqrt(second / np.float32(1 - _SECOND**step)) + np.float32(_GUARD)
        weight -= np.float32(rate / (1 - _FIRST**step)) * first / unbiased

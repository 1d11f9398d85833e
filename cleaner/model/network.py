"""Arrays in, class probabilities out: linear models over hashed features and a small network.

All weights are integers and so are all inputs. Sums of integers that stay below 2^24 are exact in float32 and
below 2^53 in float64, in any order: a score depends neither on the batch nor on how a machine adds.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops
from cleaner.evidence.lanes import pack, sum_lines
from cleaner.evidence.ngrams import Grams, Words
from cleaner.evidence.topics import Subjects

if TYPE_CHECKING:
    from cleaner.compiled.network import Packed

#: Largest integer up to which every sum in float32 is exact.
EXACT = 1 << 24
#: Largest input of the network, and of its hidden units where its arrays do not say another.
INPUT_MAX, HIDDEN_MAX = 127, 1023
#: Largest hidden unit, and largest weight between hidden units, in a network of bytes.
BYTE_UNIT_MAX, BYTE_WEIGHT_MAX = 255, 127
_ROWS = 1024
#: Linear weights are int8, stored as 0..255 so that packed sums never borrow from their neighbour.
_OFFSET = 128
#: Linear scores beyond this add nothing: a probability of one in 160,000.
_LOGIT_LIMIT = 12.0


class _Table:
    """Weights of hashed features for several classes, packed for summing line by line."""

    def __init__(self, weight: NDArray[np.int8]) -> None:
        buckets, self.classes = weight.shape
        self.bits: int = buckets.bit_length() - 1
        shifted = np.zeros((buckets + 1, self.classes), dtype=np.uint8)  # the last row: no n-gram
        np.add(weight.view(np.uint8), np.uint8(_OFFSET), out=shifted[:-1])  # modulo 256: -128 becomes 0
        self._packed = pack(shifted)
        self._weight = weight

    def __getstate__(self) -> dict[str, Any]:
        """All but what is made when it is needed."""
        return {name: value for name, value in vars(self).items() if name != "_rows"}

    @functools.cached_property
    def _rows(self) -> NDArray[np.int8]:
        """The weights as compiled loops read them."""
        from cleaner.compiled.sums import padded

        return padded(self._weight)

    def sums(self, grams: Grams) -> NDArray[np.integer]:
        """The weights of each line's n-grams summed: [lines, classes]."""
        if (fast := loops("sums", len(grams.first))) is not None:
            total: NDArray[np.int32] = fast.sum_lines(
                self._rows, self.classes, grams.bucket, grams.first, grams.bits - self.bits
            )
            return total
        bucket = grams.bucket >> (grams.bits - self.bits)
        sums = sum_lines(self._packed, bucket, grams.first, 255)[:, : self.classes]
        return sums - _OFFSET * grams.count[:, None]


class Linear:
    """A multi-class linear model over hashed features, each line scaled by the root of its number of features.

    A second table may score what a line stands in, hashed too: one group of features for many lines.
    """

    def __init__(
        self,
        weight: NDArray[np.int8],
        scale: float,
        bias: NDArray[np.float64],
        place_weight: NDArray[np.int8] | None = None,
    ) -> None:
        """Prepare the weights for summing.

        Args:
            weight: int8 [2^bits, classes].
            scale: what a weight of 1 is worth.
            bias: [classes].
            place_weight: int8 [2^bits, classes], of the features of a line's place, or None.
        """
        self._table = _Table(weight)
        self._places = None if place_weight is None else _Table(place_weight)
        self._scale, self._bias = scale, bias

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Linear:
        """The model in a folder's arrays."""
        return cls(
            arrays["linear_weight"], float(arrays["linear_scale"]), arrays["linear_bias"], arrays.get("place_weight")
        )

    @property
    def bits(self) -> int:
        """The logarithm of the number of buckets."""
        return self._table.bits

    @property
    def place_bits(self) -> int | None:
        """The same of the second table; None without one."""
        return None if self._places is None else self._places.bits

    def log_probabilities(
        self, grams: tuple[Grams, ...], places: Grams | None = None, place: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64]:
        """Natural logarithms of the class probabilities of each line, float64 [lines, classes].

        Args:
            grams: the hashed features of each line.
            places: those of each place that lines stand in; needed if the model has a second table.
            place: int64 [lines], the place of each line.
        """
        root = _root(np.sum([kind.count for kind in grams], axis=0))
        parts = [self._table.sums(kind) for kind in grams]
        if self._places is None and len(parts) == 2 and (fast := loops("sums", len(root))) is not None:
            return _limited(fast.add_scaled(*parts, root[:, 0], self._scale, self._bias))
        scores = np.sum(parts, axis=0) / root
        if self._places is not None and places is not None:
            scores += (self._places.sums(places) / _root(places.count))[place]
        return _limited(scores * self._scale + self._bias)


class Neighbours:
    """A multi-class linear model over the words of the lines before and after: what a line is among, "Comments" say."""

    def __init__(
        self, before: NDArray[np.int8], after: NDArray[np.int8], scale: float, bias: NDArray[np.float64]
    ) -> None:
        """Prepare the weights for summing.

        Args:
            before: int8 [2^bits, classes], for the words of the line before.
            after: the same for those of the line after.
            scale: what a weight of 1 is worth.
            bias: [classes].
        """
        self._table = _Table(np.concatenate([before, after], axis=1))
        self._scale, self._bias = scale, bias

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Neighbours:
        """The model in a folder's arrays."""
        return cls(
            arrays["before_weight"],
            arrays["after_weight"],
            float(arrays["neighbours_scale"]),
            arrays["neighbours_bias"],
        )

    def log_probabilities(
        self, words: Grams, has_before: NDArray[np.bool_], has_after: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Natural logarithms of the class probabilities of each line, float64 [lines, classes].

        Args:
            words: the hashed words of each line, the lines in order.
            has_before: bool [lines], whether the line before is one of the same document.
            has_after: the same for the line after.
        """
        sums, root = self._table.sums(words), _root(words.count)
        if (fast := loops("sums", len(root))) is not None:
            return _limited(fast.beside(sums, root[:, 0], has_before, has_after, self._scale, self._bias))
        scores = sums / root
        half = scores.shape[1] // 2
        near = np.zeros((len(scores), half))
        near[1:] += scores[:-1, :half] * has_before[1:, None]
        near[:-1] += scores[1:, half:] * has_after[:-1, None]
        return _limited(near * self._scale + self._bias)


class Topics:
    """What each word is about, and how rare it is."""

    def __init__(self, weight: NDArray[np.int8], rarity: NDArray[np.uint8]) -> None:
        """Prepare the vectors for summing.

        Args:
            weight: int8 [2^bits, dimensions], the vector of each bucket of words.
            rarity: uint8 [2^bits].
        """
        self._table = _Table(weight)
        self._rarity = np.append(rarity, np.uint8(0))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Topics:
        """The vectors in a folder's arrays."""
        return cls(arrays["topic_weight"], arrays["word_rarity"])

    def subjects(self, words: Words) -> Subjects:
        """What the lines of a batch are about, by their hashed words."""
        return Subjects(self._table.sums(words), self._rarity[words.bucket >> (words.bits - self._table.bits)])


def _root(count: NDArray[np.int64]) -> NDArray[np.float64]:
    root: NDArray[np.float64] = np.sqrt(np.maximum(count, 1))[:, None]
    return root


def _limited(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return log_softmax(logits, _LOGIT_LIMIT)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What a line's hidden units gain from those of the lines before and after (a dilated convolution).

    The units come in groups, each of which sees itself alone: networks that were trained apart, side by side.

    Attributes:
        step: how many lines away.
        weight: float32 [groups, 3, units, units], whole numbers, for the line before, the line itself, the line after.
        bias: float32 [hidden], whole numbers.
        scale: float32 [hidden], from those sums to the units that the line has already.
    """

    step: int
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    scale: NDArray[np.float32]

    def added(self, hidden: NDArray[np.float32], place: NDArray[np.int64], largest: int) -> NDArray[np.float32]:
        """The hidden units, [lines, hidden], and what they gain; `place` is each line's in its document."""
        broken = np.flatnonzero(place[self.step :] < self.step)  # pairs of lines that lie in two documents
        sums = np.empty_like(hidden)
        size = self.weight.shape[2]
        for group, (before, here, after) in enumerate(self.weight):
            units = slice(group * size, (group + 1) * size)
            known, total = hidden[:, units], sums[:, units]
            np.matmul(known, here, out=total)
            if len(hidden) > self.step:
                for weight, taken, put in (
                    (before, known[: -self.step], total[self.step :]),
                    (after, known[self.step :], total[: -self.step]),
                ):
                    part = taken @ weight
                    part[broken] = 0
                    put += part
        sums += self.bias
        return _whole(sums, self.scale, largest, hidden)


def _whole(
    sums: NDArray[np.float32], scale: NDArray[np.float32], largest: int, before: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Sums as whole numbers from 0 to `largest`, upon what was there before; the sums are overwritten."""
    sums *= scale
    np.rint(sums, out=sums)
    np.maximum(sums, 0, out=sums)
    if before is not None:
        sums += before
    return np.minimum(sums, largest, out=sums)


@dataclass(frozen=True, eq=False)
class Network:
    """One hidden layer of rectified units, and layers that look at the lines around.

    Attributes:
        hidden_weight: float32 [inputs, hidden], whole numbers.
        hidden_bias: float32 [hidden], whole numbers.
        hidden_scale: float32 [hidden], from those sums to 0..largest.
        output_weight: float32 [hidden, classes], whole numbers.
        output_bias: float32 [classes], whole numbers.
        output_scale: float, from those sums to natural logarithms.
        layers: between the hidden layer and the output; none in a network that sees one line at a time.
        largest: of the hidden units.
    """

    hidden_weight: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    hidden_scale: NDArray[np.float32]
    output_weight: NDArray[np.float32]
    output_bias: NDArray[np.float32]
    output_scale: float
    layers: tuple[Layer, ...] = ()
    largest: int = HIDDEN_MAX

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> Network:
        """The model in a folder's arrays, those whose names begin with `prefix`."""
        names = ("hidden_weight", "hidden_bias", "hidden_scale", "output_weight", "output_bias")
        floats = {name: arrays[prefix + name].astype(np.float32) for name in names}
        steps = arrays.get(f"{prefix}layer_step", np.zeros(0))
        stacks = [arrays[f"{prefix}layer_{name}"] for name in ("weight", "bias", "scale")] if len(steps) else []
        layers = tuple(
            Layer(int(step), *(stack[k].astype(np.float32) for stack in stacks)) for k, step in enumerate(steps)
        )
        largest = int(arrays.get(f"{prefix}unit_max", HIDDEN_MAX))
        return cls(**floats, output_scale=float(arrays[f"{prefix}output_scale"]), layers=layers, largest=largest)

    def __getstate__(self) -> dict[str, Any]:
        """All but what is made when it is needed, and for this processor."""
        return {name: value for name, value in vars(self).items() if name != "_packed"}

    @functools.cached_property
    def _packed(self) -> Packed | None:
        """The weights as compiled loops read them; None if they cannot."""
        from cleaner.compiled.network import pack

        hidden = (self.hidden_weight, self.hidden_bias, self.hidden_scale)
        layers = [(layer.step, layer.weight, layer.bias, layer.scale) for layer in self.layers]
        return pack(hidden, layers, (self.output_weight, self.output_bias), self.largest)

    def logits(self, features: NDArray[np.int8], place: NDArray[np.int64]) -> NDArray[np.float64]:
        """Unnormalised log-probabilities, float64 [lines, classes].

        Args:
            features: int8 [lines, inputs], of whole documents one after the other.
            place: int64 [lines], each line's place in its document, from 0.
        """
        if (fast := loops("network", len(features))) is not None and self._packed is not None:
            sums: NDArray[np.float64] = fast.logits(self._packed, features, place)
            return sums * self.output_scale
        out = np.empty((len(features), len(self.output_bias)), dtype=np.float64)
        reach = sum(layer.step for layer in self.layers)
        for at in range(0, len(features), _ROWS):
            begin, end = max(at - reach, 0), at + _ROWS + reach  # a stretch, and all that it looks at
            hidden = features[begin:end].astype(np.float32) @ self.hidden_weight
            hidden += self.hidden_bias
            hidden = _whole(hidden, self.hidden_scale, self.largest)
            for layer in self.layers:
                hidden = layer.added(hidden, place[begin:end], self.largest)
            out[at : at + _ROWS] = hidden[at - begin : at - begin + _ROWS] @ self.output_weight + self.output_bias
        return out * self.output_scale


def blend(network: NDArray[np.float64], own: NDArray[np.float64], own_share: float) -> NDArray[np.float64]:
    """Final log-probabilities: the network's, with a say for the line's own words.

    Context lifts a lone line of boilerplate in the middle of good text; a weighted geometric mean with what the
    line's own words say bounds how far (the logarithmic opinion pool of Genest and Zidek 1986).

    Args:
        network: [lines, classes], the network's logits.
        own: [lines, classes], the linear model's log-probabilities.
        own_share: the weight of the second, from 0 to 1.
    """
    return log_softmax((1 - own_share) * log_softmax(network) + own_share * own)


def lean(
    probability: NDArray[np.float64], which: int, opinion: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Move the probability of one class towards a second opinion on it; the others keep their proportions.

    Args:
        probability: [lines, classes].
        which: the class that the opinion is on.
        opinion: [lines], its probability.
        share: the weight of the opinion, from 0 to 1 (a linear opinion pool, Stone 1961).
    """
    before = probability[:, which]
    after = (1 - share) * before + share * opinion
    moved = probability * ((1 - after) / np.maximum(1 - before, np.finfo(np.float64).tiny))[:, None]
    moved[:, which] = after
    return moved


def log_softmax(logits: NDArray[np.float64], limit: float = np.inf) -> NDArray[np.float64]:
    """Natural logarithms of the probabilities of each row.

    Args:
        logits: float64 [rows, classes].
        limit: what they are held to, above and below.
    """
    if (fast := loops("sums", len(logits))) is not None:
        # the exponential and the logarithm are numpy's own: no two libraries agree on their last bit
        shifted = fast.shifted(logits, limit)
        total = fast.row_sums(np.exp(shifted))
    else:
        shifted = np.clip(logits, -limit, limit)
        shifted = shifted - shifted.max(axis=1, keepdims=True, initial=-np.inf)
        each = np.exp(shifted)
        total = each[:, 0]
        for column in range(1, each.shape[1]):  # a fixed order of addition
            total = total + each[:, column]
    result: NDArray[np.float64] = shifted - np.log(total)[:, None]
    return result

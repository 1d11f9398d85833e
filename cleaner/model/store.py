"""Find, verify, load and save a model folder. A model file is data and can run no code.

A folder holds `weights.npz` (plain arrays, read with pickling off), `config.json`, `SHA256SUMS` over the two,
and a card, `README.md`. `sha256sum --check SHA256SUMS` verifies it without this library.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cleaner.errors import ModelError
from cleaner.evidence import blocks, cohesion, context, shape, structure, topics, verdicts
from cleaner.evidence.gather import Evidence, beside, network_input
from cleaner.model.network import Linear, Neighbours, Network, Topics, blend, lean, log_softmax
from cleaner.records import Label

DEFAULT: Final = "text-v7"
DEFAULT_HTML: Final = "html-v2"
#: Raised whenever an older library could not read a newer folder; and the oldest that is still read, in which hidden
#: units have 10 bits.
FORMAT: Final = 3
_OLDEST: Final = 2
#: What a model is for.
TEXT, HTML = "text", "html"
#: The features of each kind of model. A model for HTML has a second set of networks, which lack
#: the last of them, trafilatura's verdicts.
FEATURES: Final = {
    TEXT: (
        *shape.FEATURES,
        *context.WIDE_FEATURES,
        *cohesion.FEATURES,
        *cohesion.RARITY_FEATURES,
        *blocks.FEATURES,
        *topics.FEATURES,
    ),
    HTML: (
        *shape.FEATURES,
        *context.FEATURES,
        *cohesion.FEATURES,
        *blocks.FEATURES,
        *structure.FEATURES,
        *verdicts.FEATURES,
    ),
}
_WEIGHTS, _CONFIG, _SUMS = "weights.npz", "config.json", "SHA256SUMS"
#: What the names of arrays of further networks begin with: of those without trafilatura's verdicts, and of those
#: that say what a reader wants.
FAST, CONTENT = "fast_", "content_"
_BODY, _TITLE = (tuple(Label).index(label) for label in (Label.BODY, Label.TITLE))
_PACKAGE = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, eq=False)
class SecondStage:
    """What scores a line by all that is known of it.

    Attributes:
        network: gives the labels' logits; if it has one output more, that is the logit of being part of what a reader
            wants.
        content: a network that gives the logits of the latter, and of not being it; None in a model without.
        content_share: the say of being wanted, from 0 to 1, in how likely a line is body.
        thresholds: for sets of kept labels, named as "body+title", pairs (loss, threshold), both rising: with that
            threshold so much of the body's words was lost on articles that the model had not seen.
    """

    network: Network
    content: Network | None
    content_share: float
    thresholds: Mapping[str, Sequence[tuple[float, float]]]

    def probabilities(
        self, features: NDArray[np.int8], place: NDArray[np.int64], own: NDArray[np.float64], own_share: float
    ) -> NDArray[np.float64]:
        """The probability of each label, float64 [lines, labels].

        Args:
            features: [lines, inputs of the networks], of whole documents.
            place: [lines], each line's place in its document.
            own: [lines, labels], log-probabilities by each line's own words.
            own_share: the say of the latter.
        """
        logits = self.network.logits(features, place)
        probability = np.exp(blend(logits[:, : len(Label)], own, own_share))
        if self.content is not None:
            wanted = np.exp(log_softmax(self.content.logits(features, place)))[:, 0]
        elif logits.shape[1] > len(Label):
            wanted = 1 / (1 + np.exp(-logits[:, len(Label)]))
        else:
            return probability
        # what readers want and extractors are measured by is body: of titles the opinion says nothing
        opinion = wanted * (1 - probability[:, _TITLE])
        return lean(probability, _BODY, opinion, self.content_share)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A loaded model.

    Attributes:
        name: the name of its folder.
        folder: where it was loaded from.
        max_body_loss: the share of an article's body words that the default threshold may lose.
        own_share: the say of the linear model in the final score, from 0 to 1.
        linear: scores a line by its own words.
        neighbours: scores a line by the words of the lines beside it.
        second: scores a line by its shape and surroundings too.
        topics: says what a line is about; None in a model that does not ask.
        fast: on pages of HTML the same without trafilatura's verdicts; None in a model for text.
        input: what the model is for, `TEXT` or `HTML`.
    """

    name: str
    folder: Path
    max_body_loss: float
    own_share: float
    linear: Linear
    neighbours: Neighbours
    second: SecondStage
    topics: Topics | None = None
    fast: SecondStage | None = None
    input: str = TEXT

    def network_input(self, evidence: Evidence, own: NDArray[np.float64]) -> NDArray[np.int8]:
        """The networks' features, int8 [lines, inputs].

        Args:
            evidence: of the lines.
            own: [lines, labels], log-probabilities by each line's own words.
        """
        words = evidence.grams[1]
        near = self.neighbours.log_probabilities(words, *beside(evidence.lines))
        return network_input(evidence, own, near, None if self.topics is None else self.topics.subjects(words))


def find(name: str | Path = DEFAULT) -> Path:
    """The folder of a model: a name of one that ships with the library, or the path of any.

    Raises:
        ModelError: if there is no such folder.
    """
    # in an installed wheel the models lie in the package, in a checkout beside it
    shipped = (_PACKAGE / "models", _PACKAGE.parent / "models")
    for folder in (*(home / name for home in shipped), Path(name)):
        if (folder / _CONFIG).is_file():
            return folder
    known = sorted({config.parent.name for home in shipped for config in home.glob(f"*/{_CONFIG}")})
    raise ModelError(
        f"there is no model folder {str(name)!r}; give the path of one, or one of: {', '.join(known) or 'none'}."
    )


def load(name: str | Path = DEFAULT) -> Model:
    """Read and verify a model.

    Raises:
        ModelError: if the folder is missing, altered, or made for another version of this library.
    """
    folder = find(name)
    content = _verified(folder)
    try:
        config = json.loads(content[_CONFIG])
        found = config["format"]
        if not _OLDEST <= found <= FORMAT:
            raise ModelError(
                f"the model in {folder} has format {found}, this version of cleaner reads {_OLDEST} to {FORMAT}; "
                f"install the version of cleaner it was made with, or train it again."
            )
        if config["labels"] != list(Label) or config["features"] != list(FEATURES[_input(config)]):
            raise ModelError(
                f"the model in {folder} was trained on other labels or features than this version of cleaner "
                "computes; train it again."
            )
        with np.load(io.BytesIO(content[_WEIGHTS]), allow_pickle=False) as arrays:
            return assemble(folder, config, dict(arrays))
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(f"the model in {folder} is not complete ({error}); install or train it again.") from None


def save(folder: Path, arrays: dict[str, NDArray[Any]], config: dict[str, Any], card: str) -> None:
    """Write a model folder.

    Args:
        folder: where; it is made if need be.
        arrays: what `linear_arrays` and `network_arrays` name.
        config: `max_body_loss`, `thresholds`, `own_share` and whatever else should be known of the model.
        card: the model's card, Markdown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    whole = {"format": FORMAT, "labels": list(Label), "features": list(FEATURES[_input(config)]), **config}
    content = {_WEIGHTS: packed.getvalue(), _CONFIG: (json.dumps(whole, indent=2) + "\n").encode()}
    for name, data in content.items():
        (folder / name).write_bytes(data)
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in content.items())
    (folder / _SUMS).write_text(sums, encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")


def _input(config: Mapping[str, Any]) -> str:
    return str(config.get("input", TEXT))


def _verified(folder: Path) -> dict[str, bytes]:
    try:
        rows = (folder / _SUMS).read_text(encoding="utf-8").splitlines()
        expected = {name: digest for digest, name in (row.split() for row in rows)}
        content = {name: (folder / name).read_bytes() for name in (_WEIGHTS, _CONFIG)}
    except (OSError, ValueError) as error:
        raise ModelError(f"the model in {folder} cannot be read ({error}); install or train it again.") from None
    for name, data in content.items():
        if hashlib.sha256(data).hexdigest() != expected.get(name):
            raise ModelError(f"{folder / name} is not the file its checksum was made for; install or train it again.")
    return content


def assemble(folder: Path, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
    """A model of the arrays and the configuration of its folder."""
    return Model(
        name=folder.name,
        folder=folder,
        max_body_loss=float(config["max_body_loss"]),
        own_share=float(config["own_share"]),
        linear=Linear.from_arrays(arrays),
        neighbours=Neighbours.from_arrays(arrays),
        second=second_stage(config, arrays),
        topics=Topics.from_arrays(arrays) if "topic_weight" in arrays else None,
        fast=second_stage(config, arrays, FAST) if f"{FAST}thresholds" in config else None,
        input=_input(config),
    )


def second_stage(config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> SecondStage:
    """The networks whose arrays' names begin with `prefix`, and what the configuration says of them."""
    content = f"{prefix}{CONTENT}"
    return SecondStage(
        Network.from_arrays(arrays, prefix),
        Network.from_arrays(arrays, content) if f"{content}hidden_weight" in arrays else None,
        float(config.get("content_share", 0.0)),
        _pairs(config[f"{prefix}thresholds"]),
    )


def _pairs(thresholds: Mapping[str, Any]) -> dict[str, list[tuple[float, float]]]:
    return {name: [(float(a), float(b)) for a, b in pairs] for name, pairs in thresholds.items()}

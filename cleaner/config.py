"""What the caller may choose, checked once when it is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cleaner.errors import ConfigError
from cleaner.records import DEFAULT_KEEP, Label

#: The losses of body that stand behind `favor_precision` and `favor_recall`.
PRECISION_LOSS, RECALL_LOSS = 0.05, 0.005


@dataclass(frozen=True, slots=True, init=False)
class Config:
    """Which labels make up the clean text, and how sure the model must be.

    Args:
        keep: the labels to keep; the default is body and title.
        drop: labels to take out of the default, for those who need no full list. Give one of the two.
        min_score: the least probability, from 0 to 1, with which the model keeps a line; None takes
            a threshold that was found for the model when it was trained.
        max_body_loss: the share of an article's body words that may be lost, such as 0.01: the threshold
            is then the highest that held this on pages the model had not seen. The default is the model's.
        favor_precision: take out more, at the cost of some body: a `max_body_loss` of 0.05.
        favor_recall: keep more, and some boilerplate with it: a `max_body_loss` of 0.005.
            Give one of these four or none.

    Raises:
        ConfigError: for an unknown label, a number out of range, a set that keeps nothing, settings that
            contradict each other, and a setting that would change nothing.
    """

    keep: frozenset[Label]
    min_score: float | None
    max_body_loss: float | None

    def __init__(
        self,
        *,
        keep: Iterable[Label | str] | None = None,
        drop: Iterable[Label | str] | None = None,
        min_score: float | None = None,
        max_body_loss: float | None = None,
        favor_precision: bool = False,
        favor_recall: bool = False,
    ) -> None:
        if keep is not None and drop is not None:
            raise ConfigError("keep and drop are both given; name either what to keep or what to drop.")
        kept = DEFAULT_KEEP if keep is None else _labels(keep, "keep")
        dropped: frozenset[Label] = frozenset() if drop is None else _labels(drop, "drop")
        if idle := dropped - kept:
            raise ConfigError(f"dropping {_names(idle)} would change nothing: by default only {_names(kept)} are kept.")
        if not kept - dropped:
            raise ConfigError("nothing would be kept; leave at least one label.")
        if min_score is not None and not 0.0 <= min_score <= 1.0:
            raise ConfigError(f"min_score is {min_score}; it is a probability and must lie between 0 and 1.")
        if max_body_loss is not None and not 0.0 < max_body_loss < 1.0:
            raise ConfigError(f"max_body_loss is {max_body_loss}; it is a share of the body between 0 and 1.")
        asked = {
            "min_score": min_score is not None,
            "max_body_loss": max_body_loss is not None,
            "favor_precision": favor_precision,
            "favor_recall": favor_recall,
        }
        given = [name for name, is_given in asked.items() if is_given]
        if len(given) > 1:
            raise ConfigError(f"{' and '.join(given)} are given; each of them sets the threshold, so give one.")
        if given and kept - dropped == set(Label):
            raise ConfigError(f"{given[0]} would change nothing: every label is kept.")
        if given and given[0] != "min_score" and Label.BODY not in kept - dropped:
            raise ConfigError(f"{given[0]} is about the body, which is not kept; give min_score instead.")
        if favor_precision or favor_recall:
            max_body_loss = PRECISION_LOSS if favor_precision else RECALL_LOSS
        object.__setattr__(self, "keep", kept - dropped)
        object.__setattr__(self, "min_score", min_score)
        object.__setattr__(self, "max_body_loss", max_body_loss)


def _labels(names: Iterable[Label | str], where: str) -> frozenset[Label]:
    if isinstance(names, str):
        raise ConfigError(f"{where} is the text {names!r}; give a list of labels, such as [{names!r}].")
    try:
        found = frozenset(Label(name) for name in names)
    except ValueError as error:
        raise ConfigError(f"{error} in {where}; the labels are {', '.join(Label)}.") from None
    if not found:
        raise ConfigError(f"{where} is empty; name at least one label or leave it out.")
    return found


def _names(labels: Iterable[Label]) -> str:
    return " and ".join(label for label in Label if label in set(labels))

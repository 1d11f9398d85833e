"""What the caller may choose, checked once when it is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cleaner.errors import ConfigError
from cleaner.records import DEFAULT_KEEP, Label


@dataclass(frozen=True, slots=True, init=False)
class Config:
    """Which labels make up the clean text, and how sure the model must be.

    Args:
        keep: the labels to keep; the default is body and title.
        drop: labels to take out of the default, for those who need no full list. Give one of the two.
        min_score: the least probability, from 0 to 1, with which the model keeps a line; None takes
            the threshold that was chosen for the model when it was trained.

    Raises:
        ConfigError: for an unknown label, a score outside 0 to 1, a set that keeps nothing, and a
            setting that would change nothing.
    """

    keep: frozenset[Label]
    min_score: float | None

    def __init__(
        self,
        *,
        keep: Iterable[Label | str] | None = None,
        drop: Iterable[Label | str] | None = None,
        min_score: float | None = None,
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
        object.__setattr__(self, "keep", kept - dropped)
        object.__setattr__(self, "min_score", min_score)


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

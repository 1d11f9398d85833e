"""scikit-learn: `CleanTransformer()` as a step of a pipeline; any sequence of texts, a pandas or polars column too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from cleaner.config import Config
from cleaner.model import store
from cleaner.pipeline import Cleaner


class CleanTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Texts in, clean texts out; nothing is learned.

    Args:
        keep: the labels to keep, or None for the default.
        min_score: the least score of a kept line, or None for the model's own.
        max_body_loss: the share of the body that may be lost, or None.
        model: the name or the path of a model for text.
        profile: a site profile, or None.
    """

    def __init__(
        self,
        keep: Iterable[str] | None = None,
        min_score: float | None = None,
        max_body_loss: float | None = None,
        model: str = store.DEFAULT,
        profile: str | None = None,
    ) -> None:
        self.keep = keep
        self.min_score = min_score
        self.max_body_loss = max_body_loss
        self.model = model
        self.profile = profile

    def fit(self, X: Iterable[str], y: Any = None) -> CleanTransformer:
        """Load the model."""
        config = Config(keep=self.keep, min_score=self.min_score, max_body_loss=self.max_body_loss)
        self.cleaner_ = Cleaner(config=config, model=self.model, profile=self.profile)
        return self

    def transform(self, X: Iterable[str]) -> NDArray[np.object_]:
        """Clean texts: object [texts]."""
        if not hasattr(self, "cleaner_"):
            self.fit(X)
        return np.array(self.cleaner_.clean_many(X), dtype=object)

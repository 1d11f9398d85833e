"""Features and scores of a few texts, frozen: a change that moves any of them is noticed and has to be meant.

`python tests/test_reference.py` writes the reference again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cleaner import Cleaner
from cleaner.pipeline import beside, gather, network_input
from training.corpora import read_seeds

REFERENCE = Path(__file__).parent / "cases" / "reference.json"
#: Lines of which the whole feature vector is kept: one of body and one of boilerplate a seed.
EVERY = 7


def vectors(cleaner: Cleaner) -> list[dict[str, Any]]:
    """For each seed its lines' scores and labels, the features of some, and sums of all."""
    found = []
    for page in read_seeds():
        evidence = gather([page.text], cleaner.model.linear.bits)
        own = cleaner.model.linear.log_probabilities(evidence.grams)
        near = cleaner.model.neighbours.log_probabilities(evidence.grams[1], *beside(evidence.lines))
        features = network_input(evidence, own, near)
        document = cleaner.label(page.text)
        found.append(
            {
                "name": page.name,
                "labels": [line.label.value for line in document.lines],
                "scores": [line.score for line in document.lines],
                "features": features[::EVERY].tolist(),
                "sums": features.astype(np.int64).sum(axis=0).tolist(),
            }
        )
    return found


def test_features_and_scores_have_not_moved(cleaner: Cleaner) -> None:
    for expected, found in zip(json.loads(REFERENCE.read_text(encoding="utf-8")), vectors(cleaner), strict=True):
        assert found["features"] == expected["features"], found["name"]
        assert found["sums"] == expected["sums"], found["name"]
        assert found["labels"] == expected["labels"], found["name"]
        # exponentials may differ in the last place from one machine to another
        np.testing.assert_allclose(found["scores"], expected["scores"], atol=2e-4, err_msg=found["name"])


if __name__ == "__main__":
    rows = ",\n".join(json.dumps(row) for row in vectors(Cleaner()))
    REFERENCE.write_text(f"[\n{rows}\n]\n", encoding="utf-8")

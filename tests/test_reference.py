"""Features and scores of a few texts, frozen: a change that moves any of them is noticed and has to be meant.

`python tests/test_reference.py` writes the reference again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cleaner import Cleaner, Document
from cleaner.evidence.gather import Evidence, gather, gather_pages
from cleaner.evidence.heuristics import verdict
from cleaner.model import store
from cleaner.pipeline import own_log_probabilities
from cleaner.segment.html import read_html
from training.corpora import read_seeds

CASES = Path(__file__).parent / "cases"
REFERENCE, HTML_REFERENCE = CASES / "reference.json", CASES / "reference_html.json"
#: Lines of which the whole feature vector is kept: one of body and one of boilerplate a seed.
EVERY = 7


def vectors(cleaner: Cleaner) -> list[dict[str, Any]]:
    """For each seed its lines' scores and labels, the features of some, and sums of all."""
    return [
        _vector(page.name, cleaner.model, gather([page.text], cleaner.model.linear.bits), cleaner.label(page.text))
        for page in read_seeds()
    ]


def html_vectors(cleaner: Cleaner) -> list[dict[str, Any]]:
    """The same for pages of HTML, with trafilatura's verdict."""
    found = []
    for case in json.loads((CASES / "html.json").read_text(encoding="utf-8")):
        page, model = read_html(case["input"]), cleaner.html_model
        evidence = gather_pages([page], [verdict(page)], model.linear.bits, model.linear.place_bits or 0)
        found.append(_vector(case["why"], model, evidence, cleaner.label_html(case["input"])))
    return found


def _vector(name: str, model: store.Model, evidence: Evidence, document: Document) -> dict[str, Any]:
    own = own_log_probabilities(model.linear, evidence)
    features = model.network_input(evidence, own)
    return {
        "name": name,
        "labels": [line.label.value for line in document.lines],
        "scores": [line.score for line in document.lines],
        "features": features[::EVERY].tolist(),
        "sums": features.astype(np.int64).sum(axis=0).tolist(),
    }


@pytest.mark.parametrize(("reference", "compute"), [(REFERENCE, vectors), (HTML_REFERENCE, html_vectors)])
def test_features_and_scores_have_not_moved(
    cleaner: Cleaner, reference: Path, compute: Callable[[Cleaner], list[dict[str, Any]]]
) -> None:
    for expected, found in zip(json.loads(reference.read_text(encoding="utf-8")), compute(cleaner), strict=True):
        assert found["features"] == expected["features"], found["name"]
        assert found["sums"] == expected["sums"], found["name"]
        assert found["labels"] == expected["labels"], found["name"]
        # exponentials may differ in the last place from one machine to another
        np.testing.assert_allclose(found["scores"], expected["scores"], atol=2e-4, err_msg=found["name"])


if __name__ == "__main__":
    for path, vectors_of in ((REFERENCE, vectors), (HTML_REFERENCE, html_vectors)):
        rows = ",\n".join(json.dumps(row) for row in vectors_of(Cleaner()))
        path.write_text(f"[\n{rows}\n]\n", encoding="utf-8")

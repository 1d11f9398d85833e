from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cleaner.model import store
from training.diff import compare, read_labels, save_labels
from training.floors import FIGURES, FLOORS, WEIGHTS, changed, digest_of, shortfalls

FLOOR: dict[str, dict[str, Any]] = {"f1": {"least": 0.8, "command": "measure"}, "loss": {"most": 2, "command": "lose"}}


@pytest.mark.parametrize("model", [store.DEFAULT, store.DEFAULT_HTML])
def test_the_shipped_models_hold_every_floor(model: str) -> None:
    folder = store.find(model)
    floors = json.loads(FLOORS.read_text(encoding="utf-8"))[model]
    figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    assert shortfalls(floors, figures, digest_of(folder)) == []


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ({"f1": 0.8, "loss": 2, WEIGHTS: "w"}, []),
        ({"f1": 0.79, "loss": 2, WEIGHTS: "w"}, ["f1 is 0.7900; it must be at least 0.8000."]),
        ({"f1": 0.9, "loss": 3, WEIGHTS: "w"}, ["loss is 3.0000; it must be at most 2.0000."]),
        ({"f1": 0.9, WEIGHTS: "w"}, ["loss was not measured; run lose."]),
        ({"f1": 0.9, "loss": 0, WEIGHTS: "other"}, ["the figures are of another model than the one that ships; me"]),
    ],
)
def test_the_gate_closes(figures: dict[str, Any], says: list[str]) -> None:
    found = shortfalls(FLOOR, figures, "w")
    assert len(found) == len(says)
    assert all(sentence.startswith(said) for sentence, said in zip(found, says, strict=True))


def test_no_floor_is_no_gate() -> None:
    with pytest.raises(ValueError, match="nothing would be checked"):
        shortfalls({}, {}, "w")


def test_floors_rise_and_fall_only_when_told() -> None:
    figures = {"f1": 0.7, "loss": 1}
    assert changed(FLOOR, figures, lower=False)["f1"]["least"] == 0.8
    assert changed(FLOOR, figures, lower=True)["f1"]["least"] == 0.7
    assert changed(FLOOR, figures, lower=False)["loss"]["most"] == 1
    promise = {"loss": {"least": 1, "most": 3, "command": "lose"}}
    assert changed(promise, {"loss": 2}, lower=True) == promise


def test_what_a_change_made_worse_is_listed(tmp_path: Path) -> None:
    row = {
        "corpus": "en",
        "page": "1",
        "gold": ["body", "advert", None],
        "words": [30, 4, 2],
        "found": ["body", "advert", "body"],
        "kept": [True, False, True],
        "score": [0.9, 0.2, 0.5],
    }
    worse = {**row, "found": ["legal", "advert", "body"], "kept": [False, False, True], "score": [0.3, 0.2, 0.5]}
    for name, content in (("old", row), ("new", worse)):
        (tmp_path / name).write_text(json.dumps(content) + "\n")
    report = compare(read_labels(tmp_path / "old"), read_labels(tmp_path / "new"), 10)
    assert "now wrongly lost: 1 lines" in report
    assert "30 words  en/1 line 1: body now lost, legal (0.90 -> 0.30)" in report
    assert "1  body now legal" in report
    with pytest.raises(ValueError, match="no page in common"):
        compare(read_labels(tmp_path / "old"), {}, 10)
    save_labels(tmp_path / "none", [])
    assert read_labels(tmp_path / "none") == {}

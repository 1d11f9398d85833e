"""The figures that may not get worse, and the gate that holds them: `python -m training.floors`.

`floors.json` says for each model and figure the least (or most) it may be and the command that measures it; the
figures stand beside the model they are of, in `figures.json`, written by `training.evaluate --figures`. A model whose
figures were not measured again, or fall short, does not pass.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cleaner.model import store

FLOORS = Path(__file__).parent / "floors.json"
FIGURES = "figures.json"
#: The key in a figures file that says which weights they are of.
WEIGHTS = "weights"
#: Floors are rounded to thousandths, away from the figure.
_STEPS = 1000


def digest_of(folder: Path) -> str:
    """The SHA-256 of a model folder's weights."""
    return hashlib.sha256((folder / "weights.npz").read_bytes()).hexdigest()


def shortfalls(floors: Mapping[str, Mapping[str, Any]], figures: Mapping[str, Any], weights: str) -> list[str]:
    """What is wrong with some figures, a sentence each; nothing if they all hold.

    Args:
        floors: for each figure `least` or `most`, and `command`.
        figures: what was measured, and under `weights` the digest of the model it was measured for.
        weights: the digest of the model at hand.

    Raises:
        ValueError: if there is no floor at all.
    """
    if not floors:
        raise ValueError("there is no floor: nothing would be checked.")
    found = []
    if figures.get(WEIGHTS) != weights:
        found.append("the figures are of another model than the one that ships; measure them again.")
    for name, floor in floors.items():
        value = figures.get(name)
        if value is None:
            found.append(f"{name} was not measured; run {floor['command']}.")
        elif value < floor.get("least", value):
            found.append(f"{name} is {value:.4f}; it must be at least {floor['least']:.4f}.")
        elif value > floor.get("most", value):
            found.append(f"{name} is {value:.4f}; it must be at most {floor['most']:.4f}.")
    return found


def changed(
    floors: Mapping[str, Mapping[str, Any]], figures: Mapping[str, Any], *, lower: bool
) -> dict[str, dict[str, Any]]:
    """Floors brought up to some figures; down to them only where `lower` says so.

    A figure with both `least` and `most` must stay between them, whatever was measured.
    """
    result = {}
    for name, floor in floors.items():
        new, value = dict(floor), figures.get(name)
        if "least" in floor and "most" in floor:  # a promise, not a record
            result[name] = new
            continue
        if value is not None and "least" in floor and (lower or value > floor["least"]):
            new["least"] = math.floor(value * _STEPS) / _STEPS
        elif value is not None and "most" in floor and (lower or value < floor["most"]):
            new["most"] = math.ceil(value * _STEPS) / _STEPS
        result[name] = new
    return result


def main(
    model: Annotated[str, typer.Option(help="A shipped model's name, or the path of a model folder.")] = store.DEFAULT,
    update: Annotated[bool, typer.Option("--update", help="Raise the floors to the figures at hand.")] = False,
    lower: Annotated[
        bool, typer.Option("--lower", help="With --update: lower them too. Say why in the commit.")
    ] = False,
) -> None:
    """Check the figures of a model against the floors."""
    folder = store.find(model)
    every = json.loads(FLOORS.read_text(encoding="utf-8"))
    floors = every.get(folder.name, {})
    figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    if update:
        every[folder.name] = changed(floors, figures, lower=lower)
        FLOORS.write_text(json.dumps(every, indent=1) + "\n", encoding="utf-8")
        typer.echo(f"{FLOORS}: {len(floors)} floors.")
        return
    found = shortfalls(floors, figures, digest_of(folder))
    for sentence in found:
        typer.echo(sentence, err=True)
    typer.echo(f"{len(floors) - len(found)} of {len(floors)} floors hold.")
    raise typer.Exit(bool(found))


if __name__ == "__main__":
    typer.run(main)

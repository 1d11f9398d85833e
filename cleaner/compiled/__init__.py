"""The inner loops once more, compiled: what numpy does in many passes done in one, to the same bits.

They need numba (`pip install "cleaner[fast]"`). Without it everything runs on numpy alone; which of the two ran changes
no result, only the time it took. Loading them takes about as long as numpy takes for `WORTH` lines, so they are loaded
after so many: who has few lines never waits for them, who has many waits for at most twice as long as was needed.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Iterator
from types import ModuleType

#: After how many lines the loops are loaded.
WORTH = 70_000

#: How many lines this process has seen; and whether loops are used whatever that says.
_lines = 0
_wanted: bool | None = None


def loops(name: str, lines: int) -> ModuleType | None:
    """A module of compiled loops; None where they are not at hand or not worth their loading.

    Args:
        name: of a module beside this one.
        lines: how many lines a batch has; loops are not made for none.
    """
    is_wanted = _lines >= WORTH if _wanted is None else _wanted
    return _module(name) if is_wanted and lines else None


def count(lines: int) -> None:
    """Tell that so many lines more were worked on."""
    global _lines
    _lines += lines


@contextlib.contextmanager
def used(wanted: bool) -> Iterator[None]:
    """Use the loops from the first line on, where they are at hand, or not at all."""
    global _wanted
    before, _wanted = _wanted, wanted
    try:
        yield
    finally:
        _wanted = before


def at_hand() -> bool:
    """Whether there is a numba that the loops can be compiled with."""
    return _module("text") is not None


@functools.cache
def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"cleaner.compiled.{name}")
    except ImportError:  # there is no numba, or none that goes with this numpy
        return None

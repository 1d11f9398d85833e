"""The inner loops once more, compiled: what numpy does in many passes done in one, to the same bits.

They need numba (`pip install "cleaner[fast]"`). Without it, and for little text, everything runs on numpy alone; which
of the two ran changes no result, only the time it took.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType

#: Numba takes .4 s to load, which fewer lines than this would never win back.
FEWEST_LINES = 1500


def loops(name: str, lines: int) -> ModuleType | None:
    """A module of compiled loops; None where they are not at hand or not worth their loading.

    Args:
        name: of a module beside this one.
        lines: how many lines a batch has.
    """
    return _loaded(name) if lines >= FEWEST_LINES else None


@functools.cache
def _loaded(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"cleaner.compiled.{name}")
    except ImportError:  # there is no numba, or none that goes with this numpy
        return None

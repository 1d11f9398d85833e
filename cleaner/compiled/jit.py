"""How loops are compiled, and what the processor they are compiled for can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import llvmlite.binding
import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_FEATURES = llvmlite.binding.get_host_cpu_features()


def compiled(function: Function) -> Function:
    """Compile a function when it is first called; the next process finds it on disk, where one can write to it."""
    try:
        return numba.njit(function, cache=True, nogil=True)  # type: ignore[no-any-return]
    except RuntimeError:  # neither the package's folder nor the user's can be written to
        return numba.njit(function, nogil=True)  # type: ignore[no-any-return]


def has(feature: str) -> bool:
    """Whether this processor has what LLVM calls by that name."""
    return bool(_FEATURES.get(feature, False))

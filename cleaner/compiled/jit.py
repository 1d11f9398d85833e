"""How loops are compiled, and what the processor they are compiled for can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numba.core.codegen
import numba.extending

Function = TypeVar("Function", bound=Callable[..., Any])

_CONFIG: Any = numba.core.config
_CODEGEN: Any = numba.core.codegen
#: As numba has them, whom the user may have told to leave some alone.
_FEATURES = (_CODEGEN.get_host_cpu_features() if _CONFIG.CPU_FEATURES is None else _CONFIG.CPU_FEATURES).split(",")


def compiled(function: Function) -> Function:
    """Compile a function when it is first called; the next process finds it on disk, where one can write to it.

    Whole numbers wrap around at their size, divisions are Python's, and no floating-point operation is reordered.
    """
    try:
        made: Function = numba.njit(function, cache=True, nogil=True)
    except RuntimeError:  # neither the package's folder nor the user's can be written to
        made = numba.njit(function, nogil=True)
    return made


def in_llvm(function: Callable[..., Any]) -> Any:
    """Let compiled functions call what a function generates in the compiler's own language."""
    return numba.extending.intrinsic(function)


def has(feature: str) -> bool:
    """Whether this processor has what LLVM calls by that name."""
    return f"+{feature}" in _FEATURES

"""Results of slow steps, kept while the code that made them stays the same."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path

from joblib import Memory

ROOT = Path(__file__).parent.parent
MEMORY = Memory(ROOT / ".cache" / "training", verbose=0)


def code_digest(patterns: Iterable[str]) -> str:
    """Changes whenever one of some modules changes in more than its comments or line breaks.

    Args:
        patterns: of the modules' paths, below the checkout.
    """
    digest = hashlib.sha256()
    for pattern in patterns:
        for module in sorted(ROOT.glob(pattern)):
            digest.update(ast.unparse(ast.parse(module.read_text(encoding="utf-8"))).encode())
    return digest.hexdigest()

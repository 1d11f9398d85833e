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
    """Changes whenever one of some files changes, a module in more than its comments or line breaks.

    Args:
        patterns: of the files' paths, below the checkout.
    """
    digest = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_text(encoding="utf-8")
            digest.update((ast.unparse(ast.parse(text)) if path.suffix == ".py" else text).encode())
    return digest.hexdigest()

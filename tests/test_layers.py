"""The way the data goes is the way the imports go: a room imports only from rooms before it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "cleaner"
#: bytes, text, lines, evidence, scores, labels, clean text; then what uses all of it.
ROOMS = [
    ("cleaner.records", "cleaner.errors", "cleaner.config", "cleaner.timelimit", "cleaner.compiled"),
    ("cleaner.segment",),
    ("cleaner.evidence",),
    ("cleaner.model",),
    ("cleaner.rules", "cleaner.decide", "cleaner.residue"),
    ("cleaner.render", "cleaner.batches"),
    ("cleaner.pipeline",),
    ("cleaner",),
    ("cleaner.corpus",),
    ("cleaner.report", "cleaner.options", "cleaner.adapters"),
    ("cleaner.cli",),
]


def _room(module: str) -> int:
    for rank in reversed(range(len(ROOMS))):
        for name in ROOMS[rank]:
            if module == name or (module.startswith(name + ".") and name != "cleaner"):
                return rank
    return next(rank for rank, names in enumerate(ROOMS) if "cleaner" in names)


def _modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_one_way(path: Path) -> None:
    module = ".".join(["cleaner", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "cleaner":
            # `from cleaner import render` names a module, `from cleaner import __version__` the package
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            imported = [name for name in names if (PACKAGE.parent / Path(*name.split("."))).with_suffix(".py").exists()]
            for name in imported or [node.module]:
                assert _room(name) <= _room(module), f"{module} imports {name}"
        assert not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("training"))


def test_only_one_module_imports_trafilatura() -> None:
    importers = [
        path.name for path in _modules() if "import" in (text := path.read_text("utf-8")) and "from trafilatura" in text
    ]
    assert importers == ["heuristics.py"]


@pytest.mark.parametrize(
    "statement", ["import cleaner", "import cleaner; cleaner.Cleaner()", "import cleaner; cleaner.clean('Some text.')"]
)
def test_the_library_never_loads_scikit_learn(statement: str) -> None:
    check = f"{statement}; import sys; print(sorted({{'sklearn', 'scipy', 'trafilatura'}} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert "sklearn" not in loaded
    if "clean(" not in statement:
        assert "trafilatura" not in loaded

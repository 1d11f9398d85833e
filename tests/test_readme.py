"""The README cannot drift: its examples run, its tables say what the code says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cleaner import Cleaner, Label
from cleaner.records import DEFAULT_KEEP

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_example_comes_out_as_shown(cleaner: Cleaner) -> None:
    before, after = _blocks("text")[:2]
    assert cleaner.clean(before) == after


#: Engines that examples are about; an example runs where its engine is installed.
ENGINES = ("ray", "pyspark", "datatrove", "datasets", "scrapy")


#: Each example, and what it prints where that stands below it.
EXAMPLES = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", README, re.DOTALL)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("block", "output"), EXAMPLES, ids=[block.split("\n", 1)[0] for block, _ in EXAMPLES])
def test_the_python_examples_run(block: str, output: str, tmp_path: Path) -> None:
    for engine in ENGINES:
        if re.search(rf"^(?:from|import) {engine}\b|adapters\.{engine}", block, re.M):
            pytest.importorskip(engine, reason=f"{engine} is not installed")
    if "pyspark" in block and shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    # an engine's processes outlive an example, so each has a process of its own; Spark's workers run the `python3`
    # of the path, which in an activated environment is the environment's
    activated = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    command = [sys.executable, "-W", "ignore", "-c", block]
    result = subprocess.run(command, cwd=tmp_path, env=activated, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
    assert output.strip() in result.stdout.decode()


def test_the_table_of_labels_is_the_library_s() -> None:
    rows = re.findall(r"^\| (\w+) \| (yes)? ?\| (.+) \|$", README, re.MULTILINE)
    expected = [(label.value, "yes" if label in DEFAULT_KEEP else "", label.meaning) for label in Label]
    assert [row for row in rows if row[0] in {label.value for label in Label}] == expected


def test_the_two_commands_come_first() -> None:
    install, test = _blocks("bash")[:2]
    assert install.endswith("cleaner clean seeds/ -o clean/\n")
    assert test.endswith("-m pytest -q\n")

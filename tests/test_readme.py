"""The README cannot drift: its examples run, its tables say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from cleaner import Cleaner, Label
from cleaner.records import DEFAULT_KEEP

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_example_comes_out_as_shown(cleaner: Cleaner) -> None:
    before, after = _blocks("text")[:2]
    assert cleaner.clean(before) == after


def test_the_python_examples_run() -> None:
    blocks = _blocks("python")
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_the_table_of_labels_is_the_library_s() -> None:
    rows = re.findall(r"^\| (\w+) \| (yes)? ?\| (.+) \|$", README, re.MULTILINE)
    expected = [(label.value, "yes" if label in DEFAULT_KEEP else "", label.meaning) for label in Label]
    assert [row for row in rows if row[0] in {label.value for label in Label}] == expected


def test_the_two_commands_come_first() -> None:
    install, test = _blocks("bash")[:2]
    assert install.endswith("cleaner clean seeds/ -o clean/\n")
    assert test.endswith("-m pytest -q\n")

"""What of the comparison with peers runs without them."""

from __future__ import annotations

import importlib.util

import pytest
import typer

from training.benchmark import Row, _long_lines, _on_lines, _refined_web, table, tools


def test_rules_on_lines() -> None:
    page = "Menu\nREAD THIS NOW\n12 likes\n1 234\nSign in to read\nThe frogs came without being asked by anyone at all."
    assert _refined_web(page) == "The frogs came without being asked by anyone at all."
    assert _long_lines(page) == "The frogs came without being asked by anyone at all."


def test_lines_become_paragraphs_for_extractors_of_html() -> None:
    seen = _on_lines(lambda page: page)(["a < b\nc"])
    assert seen == ["<html><body><p>a &lt; b</p>\n<p>c</p>\n</body></html>"]


def test_the_table_names_what_was_given() -> None:
    rows = table([Row("cleaner", False, 0.85, 0.94, 7.5), Row("keep everything", False, 0.7, 0.8, 0.0)]).split("\n")
    assert rows[1].split() == ["cleaner", "text", "0.850", "0.940", "7.50"]
    assert rows[2].split()[-1] == "-"


@pytest.mark.skipif(importlib.util.find_spec("datatrove") is not None, reason="the peers are installed")
def test_a_missing_peer_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        list(tools())
    assert 'pip install "cleaner[train,peers]"' in capsys.readouterr().err

from __future__ import annotations

import numpy as np
import pytest

from cleaner import InputError
from cleaner.render import join, kept_spans, restore


def _clean(text: str, kept: str, cuts: dict[int, list[tuple[int, int]]] | None = None) -> str:
    """Keep the lines of a text whose letter in `kept` is a +."""
    start, end, at = [], [], 0
    for line in text.splitlines(keepends=True):
        if line.startswith("\ufeff"):
            at, line = 1, line[1:]
        if line.strip():
            start.append(at)
            end.append(at + len(line.rstrip("\r\n")))
        at += len(line)
    marks = np.array([mark == "+" for mark in kept], dtype=bool)
    return join(text, kept_spans(text, np.array(start), np.array(end), marks, cuts or {}))


@pytest.mark.parametrize(
    ("text", "kept", "expected", "why"),
    [
        ("a\nb\nc\n", "+++", "a\nb\nc\n", "nothing removed, nothing changed"),
        ("\n\na\r\n\r\nb", "++", "\n\na\r\n\r\nb", "blank lines at the edges of a whole text stay"),
        ("a\nb\nc\n", "+-+", "a\nc\n", "one separator stays"),
        ("a\n\nb\nc\n", "+-+", "a\n\nc\n", "a paragraph break before the removed line stays one"),
        ("a\nb\n\nc\n", "+-+", "a\n\nc\n", "a paragraph break after the removed line stays one"),
        ("\n\nx\n\na\n", "-+", "a\n", "no blank lines at the top after a removal"),
        ("a\n\n\nx\n", "+-", "a\n", "no blank lines at the bottom after a removal"),
        ("a\nx", "+-", "a\n", "the line break that the kept line had"),
        ("x\ny\n", "--", "", "nothing kept"),
        ("a\r\nx\r\nb\r\n", "+-+", "a\r\nb\r\n", "a pair of characters is one line break"),
        ("\ufeffa\nb", "++", "a\nb", "a byte order mark is no text"),
    ],
)
def test_separators(text: str, kept: str, expected: str, why: str) -> None:
    assert _clean(text, kept) == expected, why


def test_cuts_are_taken_out_of_kept_lines_only() -> None:
    text = "one two three\nfour five\n"
    assert _clean(text, "++", {0: [(3, 7)]}) == "one three\nfour five\n"
    assert _clean(text, "-+", {0: [(3, 7)]}) == "four five\n"


@pytest.mark.parametrize(
    "content", [None, [], "text", {}, {"lines": [], "separators": []}, {"lines": [{}], "separators": ["", ""]}]
)
def test_what_is_no_document_is_refused(content: object) -> None:
    with pytest.raises(InputError):
        restore(content)

"""Dumps in every shape: recognised, named, and labelled by their logical lines."""

from __future__ import annotations

import textwrap

import pytest
from conftest import hard_text
from hypothesis import given
from hypothesis import strategies as st

from cleaner import Cleaner, Label
from cleaner.records import Shape
from cleaner.render import clean_text, pieces
from cleaner.segment.plain import split
from cleaner.segment.shapes import logical_text, shapes_of, view_of

STORY = [
    "Home News Sport Weather Contact",
    "The ferry returns after three winters",
    "The ferry that once tied the two halves of the town together sailed again on Monday, with the mayor at the rail "
    "and a brass band that had not been paid since the last time it played there.",
    "ADVERTISEMENT",
    "It had spent three winters in a shed while the council argued over who should pay for a new boiler, and for most "
    "of that time nobody could find the key.",
    "Sign up for our newsletter and never miss a story",
    "On Monday the key turned up in the pocket of a coat that had been given to the museum in the year of the flood, "
    "and by the evening the boiler was hot.",
    "The first crossing took eleven minutes, which is two minutes longer than anybody remembered, and the band played "
    "all the way over and most of the way back.",
    "Share this story",
    "© 2026 Riverside Courier. All rights reserved.",
]
PROSE = [2, 4, 6, 7]


def wrapped(columns: int, between: str = "\n") -> str:
    return between.join("\n".join(textwrap.wrap(line, columns)) for line in STORY)


MARKDOWN = [
    "* [Home](/) [News](/news) [Sport](/sport)", f"# {STORY[1]}", STORY[2].replace("the mayor", "**the mayor**"),
    "ADVERTISEMENT", STORY[4].replace("a new boiler", "[a new boiler](https://boiler.example/)"),
    f"[{STORY[5]}](/newsletter)", STORY[6], STORY[7], "[Share](/s) [Tweet](/t)", STORY[9],
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("\n".join(STORY), Shape.LINES),
        ("\n\n".join(STORY), Shape.PARAGRAPHS),
        (wrapped(72), Shape.WRAPPED),
        (wrapped(60, "\n\n"), Shape.WRAPPED),
        (" ".join(STORY * 2), Shape.ONE_LINE),
        ("\n".join(MARKDOWN), Shape.MARKDOWN),
        ("\n".join(" ".join(STORY).replace(", ", "\n, ").replace(" the ", "\nthe\n").split("\n")), Shape.FRAGMENTS),
        ("", Shape.LINES),
        ("A short line.\n" * 30, Shape.LINES),
        ("\n".join(f"{n} ** 2 = {n * n}" for n in range(20)), Shape.LINES),
    ],
)
def test_shapes_are_recognised(text: str, shape: Shape) -> None:
    assert shapes_of(split([text]), [text]) == [shape]


@pytest.mark.parametrize("columns", [60, 72, 80, 90])
def test_wrapped_lines_are_put_together(columns: int) -> None:
    assert [line for line in logical_text(wrapped(columns)).split("\n") if len(line) > columns] == [
        STORY[k] for k in PROSE
    ]


@pytest.mark.parametrize("text", [wrapped(72), wrapped(60, "\n\n")], ids=["wrapped", "with blank lines"])
def test_every_line_of_a_wrapped_paragraph_has_its_label(cleaner: Cleaner, text: str) -> None:
    document = cleaner.label(text)
    assert document.shape is Shape.WRAPPED
    for k in PROSE:
        mine = [line for line in document.lines if line.text in STORY[k]]
        assert len(mine) > 1 and {(line.label, line.score) for line in mine} == {(Label.BODY, mine[0].score)}
    assert "ADVERTISEMENT" not in clean_text(document) and "newsletter" not in clean_text(document)


def test_a_page_in_one_line_is_cut(cleaner: Cleaner) -> None:
    text = " ".join(STORY * 2)
    document = cleaner.label(text)
    (line,) = document.lines
    assert (document.shape, line.label) == (Shape.ONE_LINE, Label.BODY)
    clean = clean_text(document)
    assert "ADVERTISEMENT" not in clean and "newsletter" not in clean and "Sport Weather" not in clean
    for k in PROSE:  # where a sentence begins after words without a full stop, chance cuts
        assert clean.count(STORY[k].removeprefix("On ")) == 2
    assert Label.ADVERT in {cut.label for cut in line.cuts}
    assert all(cut.reason for cut in line.cuts)


def test_markdown_is_read_without_its_marks_and_written_with_them(cleaner: Cleaner) -> None:
    document = cleaner.label("\n".join(MARKDOWN))
    assert document.shape is Shape.MARKDOWN
    clean = clean_text(document)
    assert "[a new boiler](https://boiler.example/)" in clean and "**the mayor**" in clean
    assert "newsletter" not in clean and "Tweet" not in clean


@given(
    text=st.one_of(hard_text(), st.sampled_from([wrapped(72), " ".join(STORY * 2), "\n".join(MARKDOWN)])),
    data=st.data(),
)
def test_the_laws_hold_in_every_shape(cleaner: Cleaner, text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + data.draw(hard_text()) + text[at:]
    document = cleaner.label(text)
    assert "".join(piece for _, piece in pieces(document)) == text
    assert clean_text(document) == cleaner.clean(text)
    (outline,) = cleaner.outline_many([text])
    assert outline.text == clean_text(document)
    assert 0 <= outline.kept_words <= outline.words


@given(text=hard_text())
def test_logical_lines_are_made_of_the_lines(text: str) -> None:
    lines = split([text])
    for shape in Shape:
        if shape is Shape.WRAPPED and shapes_of(lines, [text]) != [shape]:
            continue
        view = view_of(text, shape, lines, 0)
        if view is not None and view.spans:
            assert [text[a:b] for _, a, b in view.spans] == view.text.split("\n")
        if view is not None and view.unit:
            assert len(view.unit) == len(lines) and view.unit[0] == 0

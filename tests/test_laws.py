"""The laws of the house, for every input string."""

from __future__ import annotations

import json
import re

import pytest
from conftest import LINE_BREAKS, hard_text
from hypothesis import assume, given
from hypothesis import strategies as st

from cleaner import Cleaner, Config, DecidedBy
from cleaner.render import clean_text, pieces, restore, to_json
from cleaner.segment.decode import decode, encode, to_utf8
from cleaner.segment.plain import split


@given(text=hard_text())
def test_kept_and_removed_pieces_rebuild_the_input(cleaner: Cleaner, text: str) -> None:
    document = cleaner.label(text)
    assert "".join(piece for _, piece in pieces(document)) == text
    assert "".join(piece for kept, piece in pieces(document) if kept) == cleaner.clean(text)


@given(text=hard_text())
def test_clean_text_invents_nothing(cleaner: Cleaner, text: str) -> None:
    at = 0
    for kept, piece in pieces(cleaner.label(text)):
        if kept:
            found = text.find(piece, at)
            assert found >= at
            at = found + len(piece)


@given(text=hard_text())
def test_lines_are_the_non_empty_lines_in_order(cleaner: Cleaner, text: str) -> None:
    document = cleaner.label(text)
    assert [line.text for line in document.lines] == [line for line in _split(text) if line and not line.isspace()]
    assert all(text[line.start : line.end] == line.text for line in document.lines)
    assert [line.number for line in document.lines] == list(range(1, len(document.lines) + 1))


def _split(text: str) -> list[str]:
    return text.removeprefix("\ufeff").splitlines()


@given(texts=st.lists(hard_text(), max_size=6), data=st.data())
def test_output_does_not_depend_on_the_batch(cleaner: Cleaner, texts: list[str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(texts))))
    alone = [cleaner.label(text) for text in texts]
    together = cleaner.label_many([texts[i] for i in order])
    assert together == [alone[i] for i in order]
    assert cleaner.clean_many(texts) == [clean_text(document) for document in alone]


@given(text=hard_text(), scores=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_a_lower_threshold_never_keeps_fewer_lines(cleaner: Cleaner, text: str, scores: tuple[float, float]) -> None:
    low, high = sorted(scores)
    kept_low, kept_high = (
        {line.number for line in document.lines if document.is_kept(line) and line.decided_by is DecidedBy.MODEL}
        for document in (
            Cleaner(config=Config(min_score=score), model=cleaner.model).label(text) for score in (low, high)
        )
    )
    assert kept_high <= kept_low


@given(text=hard_text())
def test_json_restores_the_original(cleaner: Cleaner, text: str) -> None:
    # JSON itself cannot tell two lone surrogates in this order from one character; no decoder yields them
    assume(not re.search("[\ud800-\udbff][\udc00-\udfff]", text))
    document = cleaner.label(text)
    content = json.loads(json.dumps(to_json(document, "x", clean_text(document))))
    assert restore(content) == (text, None)


@given(data=st.one_of(st.binary(max_size=200), hard_text().map(to_utf8)))
def test_decoding_gives_the_bytes_back(data: bytes) -> None:
    from cleaner import InputError

    try:
        decoded = decode(data)
    except InputError as error:
        assert str(error).endswith(".")
    else:
        assert encode(decoded.text, decoded.encoding) == data


@given(text=hard_text())
def test_offsets_count_code_points(text: str) -> None:
    table = split([text])
    lines = [text[a:b] for a, b in zip(table.char_start, table.char_end, strict=True)]
    encoded = [
        bytes(table.buffer[a:b]).decode("utf-8", "surrogatepass") for a, b in zip(table.start, table.end, strict=True)
    ]
    assert lines == encoded


@pytest.mark.parametrize("line_break", LINE_BREAKS, ids=[repr(line_break) for line_break in LINE_BREAKS])
def test_every_line_break_ends_a_line(line_break: str) -> None:
    table = split([f"one{line_break}two{line_break}{line_break}three"])
    assert len(table) == 3


def test_a_line_of_a_million_characters(cleaner: Cleaner) -> None:
    text = "The river rose again that night, and nobody in the village slept. " * 15_200 + "\nShare\n"
    assert len(text) > 1_000_000
    document = cleaner.label(text)
    assert len(document.lines) == 2
    assert "".join(piece for _, piece in pieces(document)) == text

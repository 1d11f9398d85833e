from __future__ import annotations

import gzip

import pytest

from cleaner import InputError
from cleaner.segment.decode import decode, encode

STORY = "Die Fähre fährt wieder. „Endlich“, sagte der Kapitän, und alle lachten über die Möwen.\n" * 5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        STORY.encode(),
        b"\xef\xbb\xbf" + STORY.encode(),
        b"\xff\xfe" + STORY.encode("utf-16-le"),
        b"\xfe\xff" + STORY.encode("utf-16-be"),
        b"\xff\xfe\x00\x00" + STORY.encode("utf-32-le"),
        STORY.encode("cp1252"),
        STORY.encode() + b"\xff\n" + STORY.encode(),
        b"nothing\x00but\x00text",
        b"\xed\xa0\x80 a lone surrogate in a file",
    ],
    ids=["empty", "utf-8", "utf-8 bom", "utf-16 le", "utf-16 be", "utf-32", "cp1252", "invalid", "nul", "surrogate"],
)
def test_the_bytes_come_back(data: bytes) -> None:
    decoded = decode(data)
    assert encode(decoded.text, decoded.encoding) == data


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_text_is_right(encoding: str) -> None:
    assert decode(STORY.encode(encoding)).text.lstrip("\ufeff") == STORY


def test_japanese_in_its_old_encodings() -> None:
    text = "冬が来て、川が凍った。村の人々は氷の上を歩いて隣の町へ行った。春になると、また舟が出た。\n" * 8
    for encoding in ("shift_jis", "euc_jp"):
        decoded = decode(text.encode(encoding))
        assert decoded.text == text
        assert "which is a guess" in decoded.notes[0]


def test_a_few_broken_bytes_are_named_and_passed_through() -> None:
    decoded = decode(STORY.encode() + b"\xff\xfe and on")
    assert decoded.notes == ("2 bytes are not valid UTF-8; they are passed through as they are.",)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "it is a PNG picture, not text"),
        (gzip.compress(b"text"), "it is gzip-compressed data, not text"),
        (bytes(range(256)) * 50, "it is binary data, not text"),
        (bytes(5000), "it is binary data, not text"),
        (b"\xff\xfea", "not valid utf-16-le .* is the file cut short"),
    ],
)
def test_what_is_not_text_is_named(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        decode(data)

"""Bytes become text, and can become the same bytes again.

A codec is only taken if it gives the bytes back: text that went wrong on the way in cannot be restored. UTF-8 is
tried first because it hardly ever fits by accident; a file that is UTF-8 but for a few bytes keeps those bytes
as lone surrogates (PEP 383), which every later step passes through.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

from cleaner.errors import InputError

#: Byte order marks, the longer before the shorter that it begins with.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: First bytes of files that people leave in a folder of texts.
_BINARY_FORMATS: Final = (
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF-", "a PDF document"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x7fELF", "a program"),
    (b"PAR1", "a Parquet file"),
)
#: Control characters that no text holds; NUL is left out, broken scrapers do write it.
_CONTROLS: Final = re.compile(rb"[\x01-\x06\x0e-\x1a\x7f]")
_MOST_CONTROLS: Final = 0.05
#: Beyond this share of bytes that are not UTF-8, the file is not UTF-8 with a few broken bytes.
_MOST_BROKEN: Final = 0.01
#: How much of a file the guess of its encoding looks at, in bytes.
_SAMPLE: Final = 200_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, the codec that gives its bytes back, and what a reader of the result should know."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(data: bytes) -> Decoded:
    """Read bytes as text.

    Raises:
        InputError: for what is not text; the message says what it looks like.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode_marked(data, encoding)
    for magic, kind in _BINARY_FORMATS:
        if data.startswith(magic):
            raise InputError(f"it is {kind}, not text; take it out of the input or extract its text first.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_other(data)
    if _looks_binary(data):
        raise InputError("it is binary data, not text; take it out of the input.")
    return Decoded(text, "utf-8")


def encode(text: str, encoding: str | None) -> bytes:
    """Turn a decoded text back into its bytes; UTF-8 for a text that never was bytes."""
    if encoding is None or encoding == "utf-8":
        return to_utf8(text)
    return text.encode(encoding)


def to_utf8(text: str) -> bytes:
    """UTF-8, with bytes that were not UTF-8 as they came and other lone surrogates as if they were characters."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _decode_marked(data: bytes, encoding: str) -> Decoded:
    # the mark stays in the text as U+FEFF, so that the text gives the bytes back
    try:
        return Decoded(data.decode(encoding), encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8":
            return _decode_other(data)
        raise InputError(
            f"it begins with the byte order mark of {encoding} but is not valid {encoding} "
            f"(byte {error.start}: {error.reason}); is the file cut short?"
        ) from None


def _decode_other(data: bytes) -> Decoded:
    if _looks_binary(data):
        raise InputError("it is binary data, not text; take it out of the input.")
    text = data.decode("utf-8", "surrogateescape")
    broken = len(re.findall("[\udc80-\udcff]", text))
    as_it_came = Decoded(text, "utf-8", (f"{broken} bytes are not valid UTF-8; they are passed through as they are.",))
    if broken <= max(1, _MOST_BROKEN * len(data)) and re.search("[^\x00-\x7f\udc80-\udcff]", text):
        return as_it_came

    from charset_normalizer import from_bytes  # only files that are not UTF-8 pay for its import

    best = from_bytes(data[:_SAMPLE]).best()
    if best is not None:
        try:
            guessed = data.decode(best.encoding)
            if guessed.encode(best.encoding) == data:
                note = f"not UTF-8; read as {best.encoding}, which is a guess."
                return Decoded(guessed, best.encoding, (note,))
        except UnicodeError:
            pass
    return as_it_came


def _looks_binary(data: bytes) -> bool:
    sample = data[:_SAMPLE]
    controls = len(_CONTROLS.findall(sample))
    return controls > _MOST_CONTROLS * len(sample) or sample.count(0) > len(sample) // 2

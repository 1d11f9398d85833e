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
#: A byte that is not UTF-8, as `surrogateescape` reads it, and a character beyond ASCII that is.
_BROKEN: Final = re.compile("[\udc80-\udcff]")
_WIDE: Final = re.compile("[^\x00-\x7f\udc80-\udcff]")
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


#: Where HTML declares its encoding, and how far into the page a browser looks for it (WHATWG, "prescan").
_DECLARED: Final = re.compile(rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([a-z0-9_:.-]+)", re.I)
_PRESCAN: Final = 4096
#: What a browser takes these declarations for (WHATWG Encoding Standard).
_MEANT: Final = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252",
                 "ascii": "cp1252", "iso-8859-9": "cp1254", "gb2312": "gbk", "shift_jis": "cp932",
                 "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "iso-8859-11": "cp874", "utf-16": "utf-8"}  # fmt: skip

#: What pages that are not UTF-8 are written in, the commonest first.
_WEB_ENCODINGS: Final = ("cp1252", "cp1251", "cp932", "gb18030", "euc_jp", "cp949", "big5", "cp1250", "cp1254",
                         "cp1256", "cp1253", "cp1255", "cp1257", "cp1258", "cp874", "koi8_r", "iso8859_2")  # fmt: skip


def decode_html(data: bytes) -> Decoded:
    """Read the bytes of a page of HTML as text, as a browser would; bytes that do not fit become U+FFFD.

    The order is byte order mark, UTF-8 if all of it fits, the page's own declaration, a guess. A declaration that
    lies about UTF-8 is not believed: other encodings hardly ever fit UTF-8 by accident.

    Raises:
        InputError: for what is not text; the message says what it looks like.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _with_replacements(data[len(mark) :], encoding)
    for magic, kind in _BINARY_FORMATS:
        if data.startswith(magic):
            raise InputError(f"it is {kind}, not HTML; take it out of the input or unpack it first.")
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    if _looks_binary(data):
        raise InputError("it is binary data, not HTML; take it out of the input.")
    declared = _DECLARED.search(data[:_PRESCAN])
    if declared:
        name = declared.group(1).decode("ascii").lower()
        name = _MEANT.get(name, name)
        try:
            if codecs.lookup(name)._is_text_encoding:
                return _with_replacements(data, name)
        except LookupError:
            pass
    text = data.decode("utf-8", "surrogateescape")
    broken = len(_BROKEN.findall(text))
    if broken <= max(1, _MOST_BROKEN * len(data)) and _WIDE.search(text):
        return _with_replacements(data, "utf-8")

    from charset_normalizer import from_bytes  # only pages that say nothing of their encoding pay for its import

    matches = from_bytes(data[:_SAMPLE], cp_isolation=list(_WEB_ENCODINGS))
    best, commonest = matches.best(), _WEB_ENCODINGS[0]
    as_good = best is None or any(
        commonest in match.could_be_from_charset and match.chaos <= best.chaos and match.coherence >= best.coherence
        for match in matches
    )
    guessed = _with_replacements(data, commonest if best is None or as_good else best.encoding)
    note = f"not UTF-8, and it does not say what; read as {guessed.encoding}, which is a guess."
    return Decoded(guessed.text, guessed.encoding, (note, *guessed.notes))


def _with_replacements(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    broken = text.count("\ufffd")
    note = f"{broken} characters are not valid {encoding}; they were read as U+FFFD."
    return Decoded(text, encoding, (note,) if broken else ())


#: How a page begins, after white space and comments.
_BEGINS: Final = r"\s*(?:<!--.{0,2000}?-->\s*|<\?xml[^>]{0,200}>\s*)*"
_SURELY_PAGE: Final = re.compile(_BEGINS + r"<!doctype\s+html\b", re.I | re.S)
#: A page without that, or a piece of one: it begins with an element that it also closes.
_ELEMENT: Final = re.compile(
    _BEGINS + r"<(html|head|body|article|aside|div|footer|form|h[1-6]|header|main|nav|ol|p|section|span|table|ul)"
    r"(?=[\s>])[^<>]*>",
    re.I | re.S,
)
_TAGS: Final = re.compile(r"</?[a-z][^<>]*>", re.I)
_FEWEST_TAGS, _LEAST_MARKUP = 6, 0.1
_LOOKED_AT: Final = 50_000


def is_html(text: str) -> bool:
    """Whether a text is a page of HTML, or a piece of one; a text that only talks about HTML is not.

    A page begins with its document type. Whatever else is HTML begins with an element and ends with a tag, closes
    that element, and a good part of it is tags; a text that quotes some markup does not.
    """
    text = text.removeprefix("\ufeff")
    sample = text[:_LOOKED_AT]
    if _SURELY_PAGE.match(sample):
        return True
    first = _ELEMENT.match(sample)
    if not first or not text.rstrip().endswith(">") or f"</{first.group(1).lower()}" not in text.lower():
        return False
    tags = _TAGS.findall(sample)
    return len(tags) >= _FEWEST_TAGS and sum(map(len, tags)) >= _LEAST_MARKUP * len(sample)


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
    broken = len(_BROKEN.findall(text))
    as_it_came = Decoded(text, "utf-8", (f"{broken} bytes are not valid UTF-8; they are passed through as they are.",))
    if broken <= max(1, _MOST_BROKEN * len(data)) and _WIDE.search(text):
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

"""What a line looks like: length, case, punctuation, place in the document, repetition.

Every feature is a small integer from -127 to 127, so that everything computed from it later is exact and does
not depend on which other documents share the batch.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops
from cleaner.evidence.compact import CompactLines
from cleaner.evidence.heuristics import share_labels
from cleaner.evidence.lanes import NARROW, pack, sum_lines
from cleaner.evidence.ngrams import Grams, Words
from cleaner.segment.plain import LineTable

LARGEST = 127

_BYTE_CLASSES = {
    "upper": bytes(range(ord("A"), ord("Z") + 1)),
    "lower": bytes(range(ord("a"), ord("z") + 1)),
    "digit": b"0123456789",
    "space": b" ",
    "comma": b",",
    "period": b".",
    "exclamation": b"!?",
    "colon": b":;",
    "quote": b"\"'`",
    "bracket": b"()[]{}",
    "separator": b"|/\\<>",
    "symbol": b"@#$%&*+=^~_",
    "dash": b"-",
    "lead": bytes(range(0xC0, 0x100)),
    "continuation": bytes(range(0x80, 0xC0)),
}
_COUNTED = pack(
    np.array([[byte in chars for chars in _BYTE_CLASSES.values()] for byte in range(256)], dtype=np.uint8), NARROW
)
_LOGGED = ("comma", "period", "digit", "separator", "quote")

#: Kinds of first and last bytes.
_ENDS = (b".", b"!?", b":", b",;", b"\"')]}", b"0123456789", bytes(range(0x80, 0x100)), b"|/>-")
_BEGINS = (
    _BYTE_CLASSES["upper"],
    _BYTE_CLASSES["lower"],
    _BYTE_CLASSES["digit"],
    b"\"'`",
    b"([{<",
    b"-*+#|/>.@",
)
_END_OF_SENTENCE = b".!?"
#: What may stand after it.
_CLOSINGS = ("”".encode(), "’".encode(), "»".encode(), b'"', b"'", b")", b"]")
#: Sentence ends beyond ASCII.
_WIDE_STOPS = ("…".encode(), "。".encode(), "！".encode(), "？".encode(), "」".encode())

FEATURES: tuple[str, ...] = (
    "log characters", "log words", "mean word length", "capitalised words",
    *(f"share of {name}" for name in _BYTE_CLASSES),
    *(f"log count of {name}" for name in _LOGGED),
    *(f"ends in {kind!r}" for kind in range(len(_ENDS))), "ends a sentence",
    *(f"begins with {kind!r}" for kind in range(len(_BEGINS))),
    "contains ©", "contains @ or a web address", "share label",
    "log copies in the document", "same as the line before", "same as the line after",
    "relative position", "log lines before", "log lines after",
)  # fmt: skip


def shape_features(lines: LineTable, compacted: CompactLines, grams: tuple[Grams, Words]) -> NDArray[np.int8]:
    """Describe each line by its own look and its place.

    Args:
        lines: the batch.
        compacted: the same lines on the compact buffer.
        grams: their hashed n-grams and words.

    Returns:
        int8 [lines, len(FEATURES)].
    """
    raw, start, end = compacted.raw, compacted.start, compacted.end
    if not len(lines):
        return np.zeros((0, len(FEATURES)), dtype=np.int8)
    if (fast := loops("shape", len(lines))) is not None:
        given = np.stack([_flag(share_labels(compacted) > 0), *_repetition(lines, grams[0])])
        described = np.empty((len(lines), len(FEATURES)), dtype=np.int8)
        fast.shape(
            raw, compacted.folded, start, end, grams[1].count, lines.document, lines.first, given, _tables(), described
        )
        return described
    counts = sum_lines(_COUNTED, raw, start, 1, NARROW)[:, : len(_BYTE_CLASSES)]
    column = dict(zip(_BYTE_CLASSES, counts.T, strict=True))
    characters = (end - start) - column["continuation"]
    word_count = grams[1].count
    is_upper, in_word = _member(_BYTE_CLASSES["upper"])[raw], _WORD[raw]
    capital = np.zeros(len(raw), dtype=bool)
    capital[1:] = is_upper[1:] & ~in_word[:-1]
    capitals = np.add.reduceat(capital, start, dtype=np.int64)

    last, first_byte = raw[end - 1], raw[start]
    features = [
        log_steps(characters), log_steps(word_count),
        _limit(8 * (characters - column["space"]) // np.maximum(word_count, 1)),
        _share(capitals, word_count),
        *(_share(column[name], end - start) for name in _BYTE_CLASSES),
        *(log_steps(column[name]) for name in _LOGGED),
        *(_flag(_member(kind)[last]) for kind in _ENDS), _flag(_ends_sentence(compacted)),
        *(_flag(_member(kind)[first_byte]) for kind in _BEGINS),
        _flag(_contains(compacted, "©".encode())),
        _flag(_contains(compacted, b"@") | _contains(compacted, b"http") | _contains(compacted, b"www.")),
        _flag(share_labels(compacted) > 0),
        *_repetition(lines, grams[0]),
        *_position(lines),
    ]  # fmt: skip
    table: NDArray[np.int8] = np.stack(features, axis=1)
    return table


@functools.cache
def _tables() -> tuple[NDArray[np.generic], ...]:
    """What the features are computed with, as compiled loops take it."""

    def kinds(of: tuple[bytes, ...]) -> NDArray[np.uint8]:
        bits: NDArray[np.uint8] = np.packbits([_member(chars) for chars in of], axis=0, bitorder="little")[0]
        return bits

    def reversed_(sequences: tuple[bytes, ...]) -> NDArray[np.uint8]:
        rows = [bytes([len(each)]) + each[::-1].ljust(3, b"\0") for each in sequences]
        return np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(-1, 4)

    names = list(_BYTE_CLASSES)
    return (
        _COUNTED,
        np.array([names.index(name) for name in ("continuation", "space")]),
        np.array([names.index(name) for name in _LOGGED]),
        kinds(_ENDS),
        kinds(_BEGINS),
        reversed_(_CLOSINGS),
        _member(_END_OF_SENTENCE),
        reversed_(_WIDE_STOPS),
        log_table(),
    )


def _member(chars: bytes) -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=bool)
    table[list(chars)] = True
    return table


_WORD = _member(b"".join(_BYTE_CLASSES[name] for name in ("upper", "lower", "digit", "lead", "continuation")))


def log_steps(count: NDArray[np.int64]) -> NDArray[np.int8]:
    """A count as a small whole number: eight steps to each doubling of one more than it."""
    return _limit(np.rint(8 * np.log2(count + 1.0)))


@functools.cache
def log_table() -> NDArray[np.int8]:
    """`log_steps` of counts from 0 on, for compiled loops; what is larger counts as the last of them."""
    return log_steps(np.arange(1 << 16))


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.int8]:
    return _limit((LARGEST * part) // np.maximum(whole, 1))


def _flag(truth: NDArray[np.bool_]) -> NDArray[np.int8]:
    return truth.astype(np.int8) * np.int8(LARGEST)


def _limit(values: NDArray[np.generic]) -> NDArray[np.int8]:
    limited: NDArray[np.int8] = np.clip(values, -LARGEST, LARGEST).astype(np.int8)
    return limited


def _ends_sentence(lines: CompactLines) -> NDArray[np.bool_]:
    """Whether a line ends in a full stop or the like, perhaps inside a closing quote or bracket."""
    raw, after = lines.raw, lines.end.copy()
    for closing in (*_CLOSINGS, *_CLOSINGS):  # twice, for a quotation inside brackets or brackets inside a quotation
        inner = after - len(closing)
        after = np.where(_ends_with(raw, after, closing) & (inner > lines.start), inner, after)
    ends = _member(_END_OF_SENTENCE)[raw[after - 1]]
    for stop in _WIDE_STOPS:
        ends |= _ends_with(raw, after, stop)
    return ends


def _ends_with(raw: NDArray[np.uint8], after: NDArray[np.int64], tail: bytes) -> NDArray[np.bool_]:
    same = np.ones(len(after), dtype=bool)
    for back, byte in enumerate(reversed(tail), start=1):
        same &= raw[np.maximum(after - back, 0)] == byte
    return same


def _contains(lines: CompactLines, sequence: bytes) -> NDArray[np.bool_]:
    """Which lines hold a sequence of bytes (in lower case)."""
    text = lines.folded
    hit = text[: len(text) - len(sequence) + 1] == sequence[0]
    for offset, byte in enumerate(sequence[1:], start=1):
        hit &= text[offset : len(text) - len(sequence) + 1 + offset] == byte
    found = np.zeros(len(lines), dtype=bool)
    found[np.searchsorted(lines.start, np.flatnonzero(hit), side="right") - 1] = True
    return found


def _repetition(lines: LineTable, grams: Grams) -> tuple[NDArray[np.int8], ...]:
    """How often the same line (case and digits aside) stands in its document, and whether right beside."""
    keyed = line_hashes(grams) * np.uint64(0x9E3779B97F4A7C15) + lines.document.astype(np.uint64)
    if (fast := loops("shape", len(lines))) is not None:
        count = fast.copies(keyed, lines.first)
    else:
        _, inverse, counts = np.unique(keyed, return_inverse=True, return_counts=True)
        count = counts[inverse]
    same = np.zeros(len(lines) + 1, dtype=bool)
    same[1:-1] = keyed[1:] == keyed[:-1]
    return log_steps(count - 1), _flag(same[:-1]), _flag(same[1:])


def line_hashes(grams: Grams) -> NDArray[np.uint64]:
    """A 64-bit hash of each line, case and digits aside; equal lines have equal hashes in any batch.

    The sum of a random number for each n-gram (Zobrist 1970, A New Hashing Method with Application for Game
    Playing): lines of the same n-grams in another order, which hardly exist, would count as equal.
    """
    if (fast := loops("grams", len(grams.first))) is not None:
        hashes: NDArray[np.uint64] = fast.line_hashes(grams.bucket, grams.first, 1 << grams.bits)
        return hashes
    return np.add.reduceat(_random_numbers(1 << grams.bits)[grams.bucket], grams.first, dtype=np.uint64)


@functools.cache
def _random_numbers(count: int) -> NDArray[np.uint64]:
    """A fixed random number for each bucket and 0 for no n-gram (splitmix64, Steele et al. 2014)."""
    value = np.arange(1, count + 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ (value >> np.uint64(shift))) * np.uint64(factor)
    value[-1] = 0
    value.flags.writeable = False
    return value


def _position(lines: LineTable) -> tuple[NDArray[np.int8], ...]:
    here = np.arange(len(lines))
    before = here - lines.first[lines.document]
    after = lines.first[lines.document + 1] - 1 - here
    return _share(before, before + after), log_steps(before), log_steps(after)

"""Boilerplate glued inside a line: which stretches to cut from a line that is otherwise kept.

Extractors that join text nodes without a space leave file names, ad markers and teasers stuck to sentences.
Each rule is general, says what it is for, and cuts only what stands at a seam between two texts.
"""

from __future__ import annotations

import functools
import re

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops
from cleaner.evidence.compact import CompactLines
from cleaner.evidence.ngrams import Grams, bucket_of
from cleaner.records import Cut, Label

_MEDIA = r"(?:jpe?g|png|gif|webp|avif|svg|bmp|tiff?|mp3|mp4|mpe?g-?4?|webm|mov|avi|m4[av]|wav|ogg)"

#: (what it is, label, pattern); the one named group that takes part in a match is what goes.
_RULES: tuple[tuple[str, Label, re.Pattern[str]], ...] = (
    (
        # "jpegMpeg4-1280x720The war began ...": media types and a size, from a player's fallback text
        "a media type and a picture size, glued to the text",
        Label.OTHER,
        re.compile(
            rf"^(?P<cut>(?:{_MEDIA}[-_./]?){{1,4}}\d{{2,5}}[x×]\d{{2,5}})(?=\s|[^\W\d_]|[\"“‘(])"
            rf"|(?<![\w-])(?P<seam>(?:{_MEDIA}[-_./]?){{1,4}}\d{{2,5}}[x×]\d{{2,5}})(?=[^\W\d_]|[\"“‘(])",
            re.I,
        ),
    ),
    (
        # "photo_2016-12.jpgThe war began ...": the name of a media file, with no space after it
        "the name of a media file, glued to the text",
        Label.OTHER,
        re.compile(rf"(?P<cut>(?:^|(?<=\s))[\w%()+-]{{0,60}}[\d_%-][\w%()+.-]{{0,60}}\.(?i:{_MEDIA}))(?=[A-Z\"“‘'])"),
    ),
    (
        # "... he said.ADVERTISEMENTThe next ...": an ad marker in capitals at a seam without a space
        "an ad marker, glued to the text",
        Label.ADVERT,
        re.compile(
            r"(?:^|(?<=[.!?\"”’)]))\s?"
            r"(?P<cut>ADVERTISEMENT|Advertisement|ANZEIGE|PUBLICIDAD|PUBLICITÉ)(?=[A-Z\"“‘']|$)"
        ),
    ),
    (
        # "... said. Advertisement Continue reading the main story": the skip link of an ad slot
        "a skip link around an advertisement",
        Label.ADVERT,
        re.compile(
            r"(?:^|(?<=[.!?\"”’)]))\s*(?P<cut>(?:Advertisement\s*)?(?:Continue reading the main story"
            r"|(?:Story|Article) continues (?:after|below) (?:this |the )?advertisement))(?=[A-Z\"“‘'\s.]|$)",
            re.I,
        ),
    ),
    (
        # "... he said. [Read more: Ten ways to ...]": a teaser in brackets of its own
        "a teaser in brackets",
        Label.RECOMMENDED,
        re.compile(
            r"(?P<cut>[\[(](?:read (?:more|also|next)|also read|watch(?: now)?)\s*:"
            r"[^\[\]()]{1,200}[\])])",
            re.I,
        ),
    ),
)

#: What the folded form of a line (lower case, every digit 0) must hold for any rule to match. Each begins with four
#: bytes that are rare in prose: looking those up among the n-grams costs next to nothing.
_HINTS = tuple(
    hint.encode()
    for hint in (
        *("00x0", "00×0", ".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".bmp", ".tif", ".mp0", ".mpg"),
        *(".mpe", ".webm", ".mov", ".avi", ".m0a", ".m0v", ".wav", ".ogg"),
        *("dvertisement", "zeige", "blicidad", "blicité", "blicitÉ", "inue reading the main story"),
        *(f"{bracket}{word}" for bracket in "[(" for word in ("read ", "also read", "watch")),
    )
)


def candidates(lines: CompactLines, grams: Grams) -> NDArray[np.int64]:
    """The lines of a batch that may need cutting, rising; no other line does.

    Args:
        lines: the batch.
        grams: its n-grams of four bytes.
    """
    text = lines.folded.tobytes()
    hinted, bits = _hinted(grams.bits)
    fast = loops("grams", len(lines))
    at = np.flatnonzero(hinted[grams.bucket]) if fast is None else fast.places(grams.bucket, bits)
    found = [place for place in at.tolist() if text.startswith(_HINTS, place)]
    return np.unique(np.searchsorted(lines.start, np.array(found, dtype=np.int64), side="right") - 1)


@functools.cache
def _hinted(bits: int) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Which buckets hold the beginning of a hint; the same as bits."""
    table = np.zeros((1 << bits) + 1, dtype=bool)
    table[[bucket_of(hint[:4], bits) for hint in _HINTS]] = True
    return table, np.packbits(table, bitorder="little")


def cuts_in(text: str, start: int, end: int) -> tuple[Cut, ...]:
    """The stretches to cut from the line that is `text[start:end]`, in order and apart from each other."""
    line = text[start:end]
    found: list[Cut] = []
    for reason, label, pattern in _RULES:
        for match in pattern.finditer(line):
            a, b = match.span(match.lastgroup or 0)
            if not line[:a].strip():  # at the line's beginning the blank after the residue goes with it
                a, b = 0, b + len(line[b:]) - len(line[b:].lstrip())
            elif not line[b:].strip() or line[a - 1].isspace():  # else the blank before it
                a = len(line[:a].rstrip())
            if b > a and not all(c.isspace() for c in line[:a] + line[b:]):
                found.append(Cut(start + a, start + b, label, reason))
    found.sort(key=lambda cut: (cut.start, -cut.end))
    apart: list[Cut] = []
    for cut in found:
        if not apart or cut.start >= apart[-1].end:
            apart.append(cut)
    return tuple(apart)

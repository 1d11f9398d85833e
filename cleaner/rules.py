"""Lines whose form says what they are, whatever stands around them: an ad marker, a pointer, a signature."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence.compact import CompactLines
from cleaner.evidence.ngrams import Words, bucket_of_word
from cleaner.records import Label
from cleaner.segment.plain import LineTable

#: What stands alone on a line only where a page marks an advertisement, in the languages of the training pages.
_AD_MARKERS = (
    "ad", "advert", "advertisement", "advertisements", "advertisement continue reading below",
    "article continues below", "story continues below",
    "article continues below advertisement", "story continues below advertisement",
    "article continues after advertisement", "story continues after advertisement",
    "sponsored", "sponsored content", "sponsored post", "sponsored link", "sponsored links", "paid content",
    "paid post", "promoted content", "partner content",
    "anzeige", "publicité", "publicidad", "pubblicità", "publicidade", "advertentie", "реклама", "広告", "广告", "廣告",
    "【pr】", "（pr）",
)  # fmt: skip
#: What marks one in square brackets only: what it abbreviates there may be something else elsewhere.
_BRACKETED = ("pr",)
#: What leads in a pointer to another text when a colon or bar and that text's headline follow on the same line.
_TEASERS = (
    "read more", "read also", "also read", "read next", "must read", "see also", "more on this", "up next",
    "related", "related article", "related articles", "related story", "related stories", "related reading",
    "related post", "related posts", "related coverage", "related video", "related videos", "recommended reading",
    "recommended for you", "don't miss", "don’t miss", "you may also like", "you might also like",
    "watch now", "watch more", "watch next", "lesen sie auch", "mehr zum thema", "siehe auch", "lire aussi",
    "à lire aussi", "leer más", "lea también", "leggi anche", "leia também", "czytaj też", "lees ook",
)  # fmt: skip
_LONGEST_TEASER = 200
#: What stands alone over a list of other texts, and over nothing else.
_LIST_HEADINGS = (
    "related articles", "related stories", "related posts", "related content", "related news", "related coverage",
    "related videos", "related searches", "recent posts", "recent articles", "recent stories", "popular posts",
    "popular articles", "trending now", "trending stories", "most read", "most viewed", "most shared", "read next",
    "what to read next", "what others are reading", "recommended for you", "recommended articles",
    "recommended stories", "more from this author", "more by this author", "you may also like",
    "you might also like", "you'll also like", "you’ll also like", "you'll also love", "you’ll also love",
    "you may also be interested in", "you might also be interested in", "mehr zum thema", "auch interessant",
    "das könnte sie auch interessieren", "das könnte dich auch interessieren", "meistgelesen", "weitere artikel",
    "lire aussi", "à lire aussi", "sur le même sujet", "te puede interesar", "también te puede interesar",
    "lo más leído", "leggi anche", "leia também", "lees ook", "czytaj też", "czytaj także", "関連記事", "おすすめ記事",
    "あわせて読みたい", "人気記事", "最近の投稿", "相关阅读", "相关文章", "推荐阅读", "热门文章",
)  # fmt: skip
#: What closes a letter on a line of its own; under it stands who signs.
_CLOSINGS = (
    "love", "with love", "much love", "all my love", "yours", "yours truly", "yours sincerely", "yours faithfully",
    "yours ever", "sincerely", "sincerely yours", "respectfully", "respectfully yours", "faithfully yours", "cordially",
    "regards", "best regards", "kind regards", "kindest regards", "warm regards", "with kind regards", "best wishes",
    "with best wishes", "warmest wishes", "all the best", "with gratitude", "in friendship", "warmly",
    "mit freundlichen grüßen", "mit freundlichem gruß", "mit freundlichen grüssen", "viele grüße", "liebe grüße",
    "herzliche grüße", "beste grüße", "schöne grüße", "herzlichst", "hochachtungsvoll", "cordialement",
    "bien cordialement", "bien à vous", "amicalement", "sincères salutations", "atentamente", "un saludo",
    "saludos cordiales", "un abrazo", "con cariño", "cordiali saluti", "distinti saluti", "un abbraccio",
    "atenciosamente", "um abraço", "met vriendelijke groet", "met vriendelijke groeten", "z poważaniem",
)  # fmt: skip
#: A signature has no more words than a name and an office.
_LONGEST_SIGNATURE = 6


def _folded(phrases: tuple[str, ...]) -> set[bytes]:
    """Phrases as they stand in folded lines, where only ASCII is in lower case: in small letters, with a capital first
    letter, in capitals."""
    forms = {form for phrase in phrases for form in (phrase, phrase[0].upper() + phrase[1:], phrase.upper())}
    return {form.encode().lower() for form in forms}


def _any_of(phrases: tuple[str, ...]) -> bytes:
    return b"(?:" + b"|".join(map(re.escape, sorted(_folded(phrases)))) + b")"


#: What a word is made of in a folded line; all else may stand around a bare phrase.
_LETTERS = bytes([*range(ord("a"), ord("z") + 1), ord("0"), *range(0x80, 0x100)])
_AROUND = bytes(sorted(set(range(0x80)) - set(_LETTERS)))
_WORD = re.compile(rb"[a-z0\x80-\xff]+")


class _Bare:
    """Matches a line that is one of some phrases, whatever stands around it."""

    def __init__(self, phrases: tuple[str, ...], around: bytes = _AROUND, *, before: bool = True) -> None:
        self._phrases, self._around, self._before = frozenset(_folded(phrases)), around, before

    def __call__(self, line: bytes) -> bool:
        return (line.strip(self._around) if self._before else line.rstrip(self._around)) in self._phrases


class _Form:
    """Matches a line that a pattern matches whole; it is not asked of lines without one of some characters."""

    def __init__(self, pattern: bytes, needs: bytes) -> None:
        self._pattern, self._needs = re.compile(pattern), re.compile(b"[" + re.escape(needs) + b"]")

    def __call__(self, line: bytes) -> bool:
        return self._needs.search(line) is not None and self._pattern.fullmatch(line) is not None


#: The rules, on the folded bytes of a line: each matches the whole of it.
RULES: tuple[tuple[str, Label, Callable[[bytes], bool]], ...] = (
    ("a bare ad marker", Label.ADVERT, _Bare(_AD_MARKERS)),
    (
        "leads in a pointer to another text",
        Label.RECOMMENDED,
        _Form(
            rb"[^a-z0\x80-\xff\n]*%s ?(?:[:|>]|\xc2\xbb|(?:-|\xe2\x80[\x93\x94]) )(?=[^\n]*[a-z0\x80-\xff])[^\n]{1,%d}"
            % (_any_of(_TEASERS), _LONGEST_TEASER),
            needs=b":|>-\xbb\x93\x94",
        ),
    ),
    (
        "an ad marker in brackets, before what it marks",
        Label.ADVERT,
        _Form(
            rb"\[ ?%s ?\][^\n]{0,%d}" % (_any_of(_AD_MARKERS + _BRACKETED), _LONGEST_TEASER),
            needs=b"[",
        ),
    ),
    ("a bare heading over other texts", Label.RECOMMENDED, _Bare(_LIST_HEADINGS)),
)
#: Only lines that begin like one of these are looked at.
_BEGINNINGS = _AD_MARKERS + _BRACKETED + _TEASERS + _LIST_HEADINGS
NO_RULE = -1
_CLOSING = _Bare(_CLOSINGS, b" ,.!", before=False)


def rules(lines: CompactLines, words: Words) -> NDArray[np.int8]:
    """Which rule each line of a batch falls under: int8 [lines], the rule's index or -1.

    A rule speaks where a line's form leaves no doubt, whatever stands around it.

    Args:
        lines: the batch.
        words: its hashed words; only lines whose first word begins a rule are looked at.
    """
    found = np.full(len(lines), NO_RULE, dtype=np.int8)
    for line, rule in _fitting(lines, words, _BEGINNINGS, [form for _, _, form in RULES]):
        found[line] = rule
    return found


def signatures(lines: LineTable, compacted: CompactLines, words: Words) -> NDArray[np.bool_]:
    """Which lines of a batch stand under the closing of a letter: bool [lines].

    Args:
        lines: the batch.
        compacted: the same on one buffer.
        words: its hashed words.
    """
    closing = np.array([line for line, _ in _fitting(compacted, words, _CLOSINGS, [_CLOSING])], dtype=np.int64)
    under = closing[closing + 1 < lines.first[lines.document[closing] + 1]] + 1
    signed = np.zeros(len(lines), dtype=bool)
    signed[under] = words.count[under] <= _LONGEST_SIGNATURE
    return signed


def _fitting(
    lines: CompactLines, words: Words, phrases: tuple[str, ...], forms: Sequence[Callable[[bytes], bool]]
) -> Iterator[tuple[int, int]]:
    """Each line of a batch that begins like a phrase and that a form matches whole, and the first that does."""
    likely = np.flatnonzero(_first_words(words.bits, phrases)[words.bucket[words.first]])
    folded = lines.folded.tobytes()
    for line, start, end in zip(likely.tolist(), lines.start[likely].tolist(), lines.end[likely].tolist(), strict=True):
        text = folded[start:end]
        for index, fits in enumerate(forms):
            if fits(text):
                yield line, index
                break


@functools.cache
def _first_words(bits: int, phrases: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which buckets hold a word that one of some phrases begins with."""
    table = np.zeros((1 << bits) + 1, dtype=bool)
    for phrase in _folded(phrases):
        word = _WORD.search(phrase)
        assert word is not None
        table[bucket_of_word(word.group(), bits)] = True
    return table

"""What a page says without showing it: its head, its schema.org data, the data it carries for its scripts."""

from __future__ import annotations

import contextlib
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil
from typing import Any

#: Structured data is missing from a page if less than this share of its words is visible; shorter data does not count.
_SHOWN, _FEWEST_WORDS = 0.5, 12
#: For so many words it takes less time to search a text for each of them than to list the text's words.
_FEW_WORDS = 60
#: A page that shows fewer words is one that scripts fill; texts of so many words in their data are prose.
_FILLED_BY_SCRIPTS, _PROSE_WORDS = 100, 8
#: A script of data that is longer, in characters, is not read.
_LONGEST_DATA = 5_000_000
_WORD = re.compile(r"\w+")
_TAG = re.compile(r"<[^<>]*>")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class StructuredData:
    """What a page says of itself without showing it, from its head and its schema.org data.

    Attributes:
        title: its titles, one after the other.
        article: the text of articles and posts.
        description: other text.
        kinds: what the page is by its schema.org types, its Open Graph type and its address, in lower case, as
            `schema:product`, `og:article`, `url:forum`.
    """

    title: str = ""
    article: str = ""
    description: str = ""
    kinds: frozenset[str] = frozenset()


#: What addresses say of pages, in the words that sites of all kinds use in them.
ADDRESSES = {
    "forum": re.compile(r"forum|thread|topic|discussion|community|/t/|/d/|/questions|/comments/"),
    "product": re.compile(r"/products?\b|/item|/itm/|/dp/|/p/|-p-?\d|sku"),
    "list": re.compile(r"/categor|/collections?\b|/tags?/|/search|/browse|/c/|/archive|/list|/shop/?$"),
    "article": re.compile(r"blog|news|/articles?\b|/stor(?:y|ies)|/posts?\b|/20\d\d/|magazine"),
    "documentation": re.compile(r"docs|documentation|wiki|/manual|/guide|/reference|/api|/help|/kb|developer|readme"),
    "service": re.compile(r"/services?\b|/solutions|/pricing|/about|/contact|/features|/company|/careers"),
    "home": re.compile(r"^[^/?]*/?$"),
}


def _kinds_of_address(url: str) -> Iterator[str]:
    address = url.lower().partition("://")[2] or url.lower()
    return (f"url:{kind}" for kind, pattern in ADDRESSES.items() if address and pattern.search(address))


def structured_data(title: str, meta: Mapping[str, str], scripts: Sequence[str], url: str | None) -> StructuredData:
    """What a page says of itself.

    Args:
        title: in its head.
        meta: the `meta` and `link` elements of its head, by name.
        scripts: its scripts with schema.org's vocabulary, as JSON-LD.
        url: its address; None for the one that its head names.
    """
    texts: dict[str, list[str]] = {"title": [title], "article": [], "description": []}
    kinds = set(_kinds_of_address(url or meta.get("canonical") or meta.get("og:url") or ""))
    if "og:type" in meta:
        kinds.add(f"og:{meta['og:type'].lower()}")
    for name, key in (("og:title", "title"), ("description", "description"), ("og:description", "description")):
        texts[key].append(meta.get(name, ""))
    for script in scripts:
        for thing in _things(script):
            types = thing.get("@type")
            types = types if isinstance(types, list) else [types]
            kinds.update(f"schema:{kind.lower()}" for kind in types if isinstance(kind, str))
            for name, key in _SCHEMA_TEXTS:
                if isinstance(value := thing.get(name), str):
                    texts[key].append(value)
    found = {key: " \n".join(dict.fromkeys(filter(None, map(_plain, values)))) for key, values in texts.items()}
    return StructuredData(**found, kinds=frozenset(kinds))


#: schema.org's properties that hold text, and what they are here.
_SCHEMA_TEXTS = (
    ("headline", "title"),
    ("name", "title"),
    ("articleBody", "article"),
    ("text", "article"),
    ("description", "description"),
)
#: So many objects of a page's structured data are looked at.
_MOST_THINGS = 2000
#: So many values of the data for scripts.
_MOST_STRINGS = 50_000


def _things(script: str) -> Iterator[dict[str, Any]]:
    if len(script) > _LONGEST_DATA:
        return
    try:
        waiting = [json.loads(script, strict=False)]
    except (ValueError, RecursionError):
        return
    for _ in range(_MOST_THINGS):
        if not waiting:
            return
        thing = waiting.pop()
        if isinstance(thing, dict):
            yield thing
            waiting.extend(value for value in reversed(thing.values()) if isinstance(value, dict | list))
        elif isinstance(thing, list):
            waiting.extend(value for value in reversed(thing) if isinstance(value, dict | list))


def missing_texts(data: StructuredData, lines: Sequence[str]) -> Iterator[str]:
    """Paragraphs of structured data that a page does not show.

    Args:
        data: what it says.
        lines: what it shows.
    """
    visible = ""
    shown: set[str] = set()
    for text in (data.article, data.description):
        words = _WORD.findall(text)
        if len(words) < _FEWEST_WORDS:
            continue
        visible = visible or " ".join(["", *lines, ""])
        wanted = ceil(_SHOWN * len(words))
        if _shows(visible, words, wanted):  # which settles it for most, and is cheap
            continue
        shown = shown or set(_WORD.findall(visible.lower()))
        if sum(word in shown for word in _WORD.findall(text.lower())) < wanted:
            yield from filter(None, text.split("\n"))


def _shows(text: str, words: Sequence[str], least: int) -> bool:
    """Whether so many words or more stand in a text between spaces, as they are written here."""
    among = set(text.split(" ")) if len(words) > _FEW_WORDS else None
    found = (word for word in words if (f" {word} " in text if among is None else word in among))
    return next(islice(found, least - 1, None), None) is not None


def is_filled_by_scripts(lines: Sequence[str]) -> bool:
    """Whether a page shows so little that its text may be in the data that it carries for its scripts."""
    few = len(lines) < _FILLED_BY_SCRIPTS  # a line is a word or more
    return few and sum(line.count(" ") + 1 for line in lines) < _FILLED_BY_SCRIPTS


def texts_of_scripts(tree: Any, lines: Sequence[str]) -> Iterator[str]:
    """Paragraphs of prose in the data that a page carries for its scripts.

    Such data is JSON in a script element that is no program, or in an attribute, perhaps with JSON in its strings.

    Args:
        tree: the page.
        lines: what it shows.
    """
    sources = [script.text or "" for script in tree.iter("script") if "json" in (script.get("type") or "")]
    sources += [value for element in tree.iter() for value in element.values() if value[:1] in ("{", "[")]
    known = set(lines)
    for source in sources:
        for text in _strings(source):
            if len(text.split()) < _PROSE_WORDS or text[:1] in "{[":
                continue
            for paragraph in _plain(text).split("\n"):
                if paragraph and paragraph not in known:
                    known.add(paragraph)
                    yield paragraph


def _strings(source: str) -> Iterator[str]:
    """The strings in JSON, in order, and those in JSON that stands in a string."""
    waiting: list[Any] = [source]
    for _ in range(_MOST_STRINGS):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, str):
            if value[:1] in ("{", "[") and len(value) <= _LONGEST_DATA:
                with contextlib.suppress(ValueError, RecursionError):
                    waiting.append(json.loads(value, strict=False))
                    continue
            yield value


def _plain(text: str) -> str:
    """Text that may hold HTML, as paragraphs."""
    text = _SURROGATE.sub("\ufffd", html.unescape(text))
    if "<" in text:
        text = html.unescape(_TAG.sub("\n", text))
    return "\n".join(filter(None, (" ".join(part.replace("\ufeff", "").split()) for part in text.split("\n"))))

"""What a page's structure says of a line: the elements around it, the lines that share them, what the page says of
itself.

The names of the elements are hashed like words (tag, class, id, role, itemprop) and scored with them; the rest are
numbers. As everywhere, sums are over integers, so that nothing depends on the rest of the batch.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, repeat

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence.compact import compact
from cleaner.evidence.ngrams import Grams, Words, hash_lines
from cleaner.evidence.shape import LARGEST, log_steps
from cleaner.records import Label
from cleaner.segment.html import Page
from cleaner.segment.plain import LineTable, split
from cleaner.segment.structured import ADDRESSES
from cleaner.segment.walker import Place

_LABELS = tuple(Label)
_BODY = _LABELS.index(Label.BODY)
_NAME = re.compile(rb"[a-z]{3,}|\n")
#: Checksums of what an element is called begin with this, those of tags do not.
_OWN = zlib.crc32(b".")
#: So many elements upwards from the text lend their names, and so many names each; the nearest are marked as such.
_NEAREST, _MOST_NAMES, _MARKED = 8, 12, 2
_MULTIPLIER = np.uint32(0x9E3779B1)
_MARKS = np.array([0x5BD1E995, 0xC2B2AE35], dtype=np.uint32)

#: Words are told apart by these bits of their buckets before they are looked up.
_LAST_BITS = (1 << 16) - 1

#: How far up the elements are in which a line's company is looked at.
_LEVELS = (1, 2, 3, 5)
#: Levels for which the mean of every label is told, beside body's.
_FULL_LEVELS = (1, 3)
#: Depth from the root up to which neighbours' elements are compared.
_ROOT_LEVELS = 40
#: Kinds that a page may give itself, and the names they go by.
_KINDS = {
    "article": ("schema:article", "schema:newsarticle", "schema:blogposting", "schema:techarticle", "schema:report"),
    "product": ("schema:product", "schema:productgroup", "og:product", "og:product.item"),
    "discussion": ("schema:discussionforumposting", "schema:qapage", "schema:question", "schema:comment"),
    "list": ("schema:itemlist", "schema:collectionpage", "schema:searchresultspage", "og:product.group"),
    "service": ("schema:service", "schema:localbusiness", "schema:faqpage", "schema:softwareapplication"),
    "og:article": ("og:article", "og:blog"),
    "og:website": ("og:website",),
    **{f"{kind} by its address": (f"url:{kind}",) for kind in ADDRESSES},
}
_ABOUT = ("title", "article", "description")

FEATURES: tuple[str, ...] = (
    *(f"in {place.name}" for place in Place),
    "share of links", "log links", "log depth", "log shared elements with the line before",
    "log shared elements with the line after", "elements left since the line before", "elements left to the line after",
    *(f"words in the page's own {about}" for about in _ABOUT),
    *(f"log words of the page's own {about}" for about in _ABOUT),
    *(f"page says it is {kind}" for kind in _KINDS),
    "share of links in the document",
    *(f"{name} {level} up" for level in _LEVELS
      for name in ("log lines", "share of the document's body", "share of body", "share of links")),
    *(f"mean of {label} {level} up" for level in _FULL_LEVELS for label in Label),
    "log lines of the same path", "share of links on the same path", "share of the document's words on the same path",
    *(f"mean of {label} on the same path" for label in Label),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """The structure of a batch of pages, elements numbered through.

    Attributes:
        element: int64 [lines], the innermost element around each line.
        parent: int64 [elements], the element around each; a page is its own.
        place: int64 [elements], of `Place`.
        depth: int64 [elements].
        name: int64 [elements], index of the element's name.
        token: uint32 [tokens], the hashed words of the names of elements near a line, one after the other.
        token_first: int64 [names + 1], where the tokens of each begin.
        characters, linked, links: int64 [lines], as in `segment.html.Page`.
        about: the words of what the pages say of themselves; `about_document` says of which page and which of
            `_ABOUT`: page * 3 + index.
        about_document: int64 [lines of about].
        kinds: bool [pages, kinds].
    """

    element: NDArray[np.int64]
    parent: NDArray[np.int64]
    place: NDArray[np.int64]
    depth: NDArray[np.int64]
    name: NDArray[np.int64]
    token: NDArray[np.uint32]
    token_first: NDArray[np.int64]
    characters: NDArray[np.int64]
    linked: NDArray[np.int64]
    links: NDArray[np.int64]
    about: Words
    about_document: NDArray[np.int64]
    kinds: NDArray[np.bool_]


def structure_of(pages: Sequence[Page], bits: int) -> Structure:
    """The structure of a batch as arrays.

    Args:
        pages: the batch.
        bits: the logarithm of the number of word buckets.
    """
    none = np.zeros(0, dtype=np.int64)
    parents, elements, numbers = [none], [none], [none]
    names: list[str] = []
    offset = 0
    for page in pages:
        parents.append(np.array(page.elements.parent, dtype=np.int64) + offset)
        elements.append(np.array(page.element, dtype=np.int64) + offset)
        numbers.append(np.array(page.elements.name, dtype=np.int64) + len(names))
        names += page.elements.names
        offset += len(page.elements.parent)
    element, parent, name = map(np.concatenate, (elements, parents, numbers))
    token, token_first = _tokens(names, _near(element, parent, name, len(names)))
    about = split([getattr(page.data, name) for page in pages for name in _ABOUT])
    kinds = [[not page.data.kinds.isdisjoint(those) for those in _KINDS.values()] for page in pages]
    return Structure(
        element=element,
        parent=parent,
        place=_column([page.elements.place for page in pages]),
        depth=_column([page.elements.depth for page in pages]),
        name=name,
        token=token,
        token_first=token_first,
        characters=_column([page.characters for page in pages]),
        linked=_column([page.linked for page in pages]),
        links=_column([page.links for page in pages]),
        about=hash_lines(compact(about), bits)[1],
        about_document=about.document,
        kinds=np.array(kinds, dtype=bool).reshape(len(pages), len(_KINDS)),
    )


def _column(lists: Sequence[list[int]]) -> NDArray[np.int64]:
    return np.fromiter(chain.from_iterable(lists), dtype=np.int64)


def _near(
    element: NDArray[np.int64], parent: NDArray[np.int64], name: NDArray[np.int64], names: int
) -> NDArray[np.int64]:
    """Which names are those of elements near a line: only they are looked into."""
    is_near = np.zeros(names, dtype=bool)
    up = element
    for _ in range(_NEAREST):
        up = _distinct(up)
        is_near[name[up]] = True
        up = parent[up]
    return np.flatnonzero(is_near)


def _tokens(names: Sequence[str], some: NDArray[np.int64]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Of some element names, the checksums of the tag and of what else it is called; and where those of each begin."""
    parts = [names[k].partition(".") for k in some.tolist()]
    tags = np.array([zlib.crc32(tag.encode()) for tag, _, _ in parts], dtype=np.uint32)
    found = _NAME.findall("\n".join([own for _, _, own in parts]).encode())
    size = np.fromiter(map(len, found), dtype=np.int64, count=len(found))
    token = np.fromiter(map(zlib.crc32, found, repeat(_OWN)), dtype=np.uint32, count=len(found))
    is_word = size > len("\n")
    name = np.cumsum(~is_word)[is_word]
    before = np.arange(len(name)) - np.searchsorted(name, name)
    name, token = name[before < _MOST_NAMES], token[is_word][before < _MOST_NAMES]
    first = np.searchsorted(name, np.arange(len(some)))
    count = np.zeros(len(names), dtype=np.int64)
    count[some] = np.diff(first, append=len(name)) + 1
    return np.insert(token, first, tags), np.append(0, np.cumsum(count))


def path_grams(structure: Structure, bits: int) -> tuple[Grams, NDArray[np.int64]]:
    """The hashed names of the elements around each line, once for all lines in the same element.

    Args:
        structure: of the batch.
        bits: the logarithm of the number of buckets.

    Returns:
        The names of each distinct path, none twice; and int64 [lines], the path of each line.
    """
    element, path = np.unique(structure.element, return_inverse=True)
    row = np.arange(len(element))
    keys = [(row << (bits + 1)) | (1 << bits)]  # "no name", so that no path is empty
    up = element
    for step in range(_NEAREST):
        inside = structure.parent[up] != up
        row, up = row[inside], up[inside]
        first = structure.token_first[structure.name[up]]
        count = structure.token_first[structure.name[up] + 1] - first
        at = np.arange(count.sum()) + np.repeat(first - (np.cumsum(count) - count), count)
        token, place = structure.token[at], np.repeat(row, count) << (bits + 1)
        marked = (token, token ^ _MARKS[step]) if step < _MARKED else (token,)
        keys += [place | ((each * _MULTIPLIER) >> np.uint32(32 - bits)).astype(np.int64) for each in marked]
        up = structure.parent[up]
    key = _distinct(np.concatenate(keys))
    bucket = (key & ((1 << (bits + 1)) - 1)).astype(np.int32)
    count = np.bincount(key >> (bits + 1), minlength=len(element))
    return Grams(bucket, np.cumsum(count) - count, count - 1, bits), path


def _distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sorted values, each once."""
    values = np.sort(values)
    distinct: NDArray[np.int64] = values[np.append(True, values[1:] != values[:-1])[: len(values)]]
    return distinct


def structure_features(
    lines: LineTable, structure: Structure, words: Words, probability: NDArray[np.int32]
) -> NDArray[np.int8]:
    """Describe each line by its place in the page and by the lines that share it.

    Args:
        lines: the batch.
        structure: of its pages.
        words: its hashed words.
        probability: int32 [lines, labels], by each line's own words and elements, from 0 to 127.

    Returns:
        int8 [lines, len(FEATURES)].
    """
    if not len(lines):
        return np.zeros((0, len(FEATURES)), dtype=np.int8)
    document = lines.document
    place, depth = structure.place[structure.element], structure.depth[structure.element]
    columns: list[NDArray[np.number]] = [LARGEST * ((place & int(each)) > 0) for each in Place]
    columns += [
        LARGEST * structure.linked // np.maximum(structure.characters, 1),
        log_steps(structure.links),
        log_steps(depth),
        *_shared_elements(structure, document, depth),
        *_own_words(lines, structure, words),
        *(LARGEST * structure.kinds[document].T),
    ]
    company = _Company(structure, probability, np.maximum(words.count, 1))
    total = company.sums(lines.document)
    columns.append(LARGEST * total.linked // total.characters)
    up = structure.element
    means = []
    for level in range(1, max(_LEVELS) + 1):
        up = structure.parent[up]
        if level not in _LEVELS:
            continue
        near = company.sums(up)
        columns += [
            log_steps(near.lines),
            LARGEST * near.body // np.maximum(total.body, 1),
            near.body // near.words,
            LARGEST * near.linked // near.characters,
        ]
        if level in _FULL_LEVELS:
            means.append(near.mean)
    path = _path_numbers(structure)[structure.element]
    near = company.sums(path)
    same = [log_steps(near.lines), LARGEST * near.linked // near.characters, LARGEST * near.words // total.words]
    table: NDArray[np.int8] = np.concatenate(
        [_small(np.stack(columns, axis=1)), *means, _small(np.stack(same, axis=1)), near.mean], axis=1
    )
    return table


def _small(values: NDArray[np.number]) -> NDArray[np.int8]:
    small: NDArray[np.int8] = np.clip(values, -LARGEST, LARGEST).astype(np.int8)
    return small


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Sums over the lines of a group, told for each of its lines."""

    lines: NDArray[np.int64]
    words: NDArray[np.int64]
    characters: NDArray[np.int64]
    linked: NDArray[np.int64]
    body: NDArray[np.int64]
    mean: NDArray[np.int8]


class _Company:
    """What lines add up to, group by group."""

    def __init__(self, structure: Structure, probability: NDArray[np.int32], words: NDArray[np.int64]) -> None:
        body = probability[:, _BODY] * words
        own = [np.ones_like(words), words, np.maximum(structure.characters, 1), structure.linked, body]
        self._values = np.concatenate([np.stack(own, axis=1), probability], axis=1).astype(np.int64)

    def sums(self, group: NDArray[np.int64]) -> _Sums:
        """Sums over lines of equal `group`, int64 [lines]."""
        order = np.argsort(group, kind="stable")
        ordered = group[order]
        begin = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        total = np.add.reduceat(self._values[order], begin, axis=0)
        where = np.empty(len(group), dtype=np.int64)
        where[order] = np.repeat(np.arange(len(begin)), np.diff(begin, append=len(group)))
        mean = (total[:, 5:] // total[:, :1]).astype(np.int8)
        lines, words, characters, linked, body = total[where, :5].T
        return _Sums(lines, words, characters, linked, body, mean[where])


def _path_numbers(structure: Structure) -> NDArray[np.int64]:
    """A number for each element, equal for elements of one page with the same names all the way up."""
    number = structure.name.astype(np.uint64) + np.uint64(1)
    top = structure.parent == np.arange(len(structure.parent))
    number[top] = np.flatnonzero(top).astype(np.uint64) << np.uint64(20)  # pages differ
    levels = np.argsort(structure.depth, kind="stable")
    edges = np.append(np.flatnonzero(np.diff(structure.depth[levels], prepend=-1)), len(levels))
    for a, b in pairwise(edges[1:].tolist()):
        here = levels[a:b]
        number[here] += number[structure.parent[here]] * np.uint64(0x9E3779B97F4A7C15)
    return number.view(np.int64)


def _shared_elements(
    structure: Structure, document: NDArray[np.int64], depth: NDArray[np.int64]
) -> list[NDArray[np.number]]:
    """How many elements a line shares with the lines before and after, and how many lie between them."""
    from_root = np.full((len(depth), _ROOT_LEVELS), -1, dtype=np.int64)
    up, row = structure.element, np.arange(len(depth))
    while len(row):
        at = structure.depth[up]
        shallow = at < _ROOT_LEVELS
        from_root[row[shallow], at[shallow]] = up[shallow]
        inside = structure.parent[up] != up
        row, up = row[inside], structure.parent[up[inside]]
    same = (from_root[1:] == from_root[:-1]) & (from_root[1:] >= 0)
    shared = np.logical_and.accumulate(same, axis=1).sum(axis=1) * (document[1:] == document[:-1])
    before, after = np.append(0, shared), np.append(shared, 0)
    reach = np.minimum(depth, _ROOT_LEVELS) + 1
    return [
        log_steps(before),
        log_steps(after),
        log_steps(np.maximum(reach - before, 0)),
        log_steps(np.maximum(reach - after, 0)),
    ]


def _own_words(lines: LineTable, structure: Structure, words: Words) -> list[NDArray[np.number]]:
    """How many of a line's words its page uses of itself, and how many words that has."""
    said = structure.about_document
    pages = len(lines.first) - 1
    said_line = np.repeat(np.arange(len(said)), structure.about.count + 1)
    real = structure.about.length > 0
    known = _distinct((said[said_line[real]] << 32) | structure.about.bucket[real])
    line = np.repeat(np.arange(len(lines)), words.count + 1)
    own = words.length > 0
    size = np.bincount(said, structure.about.count, minlength=pages * len(_ABOUT)).astype(np.int64)
    # of most words no page says anything: those are told by their last bits, without a search
    is_said = np.zeros(_LAST_BITS + 1, dtype=bool)
    is_said[known & _LAST_BITS] = True
    line, bucket = line[own], words.bucket[own]
    perhaps = is_said[bucket & _LAST_BITS]
    line, bucket = line[perhaps], bucket[perhaps]
    ended = np.append(known, -1)
    shares, sizes = [], []
    for k in range(len(_ABOUT)):
        key = ((lines.document[line] * len(_ABOUT) + k) << 32) | bucket
        hit = ended[np.searchsorted(known, key)] == key
        shares.append(LARGEST * np.bincount(line[hit], minlength=len(lines)) // np.maximum(words.count, 1))
        sizes.append(log_steps(size[lines.document * len(_ABOUT) + k]))
    return [*shares, *sizes]

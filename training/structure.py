"""What the HTML says of each line of a dump: the names of the elements it stands in.

Only the teacher of `training.teacher` sees it: it labels pages that nobody has read, so that the model, which has
the text alone, can learn from them (learning using privileged information, Vapnik and Vashist 2009).
"""

from __future__ import annotations

import functools
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import lxml.etree
import lxml.html

from training.alignment import matches, words_of

#: Logarithm of the number of buckets that element names are hashed into.
PATH_BITS = 17
_NAME = re.compile(r"[a-z]{3,}")
_ATTRIBUTES = ("class", "id", "role", "itemprop")
_UNSEEN = ("script", "style", "template")
#: So many elements upwards from the text, and so many names of one element.
_DEEPEST, _MOST_NAMES = 8, 12


@dataclass(frozen=True, slots=True)
class Nodes:
    """The visible words of a page in reading order.

    Attributes:
        words: in lower case.
        path: for each word the hashed names of the elements around it.
    """

    words: list[str]
    path: list[tuple[int, ...]]


def read_nodes(html: str) -> Nodes:
    """Walk a page in reading order."""
    nodes = Nodes([], [])
    try:
        tree = lxml.html.document_fromstring(
            html.encode("utf-8", "replace"), parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
        )
    except lxml.etree.ParserError:  # a page without any element
        return nodes
    names: list[list[str]] = []  # of the open elements, the innermost last
    unseen = 0

    def take(text: str | None) -> None:
        if text and not unseen and (found := words_of([text])[0]):
            nodes.words.extend(found)
            nodes.path.extend([_hashed(names)] * len(found))

    for event, element in lxml.etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
        if event == "start":
            names.append(_names(element))
            unseen += element.tag in _UNSEEN
            take(element.text)
        else:
            if event == "end":
                names.pop()
                unseen -= element.tag in _UNSEEN
            take(element.tail)
    return nodes


def _names(element: lxml.etree._Element) -> list[str]:
    given = " ".join(element.get(attribute) or "" for attribute in _ATTRIBUTES).lower()
    return [str(element.tag), *(f".{name}" for name in _NAME.findall(given)[:_MOST_NAMES])]


def _hashed(names: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Names of the nearest elements, those of the innermost two also marked as such."""
    found = {name for own in names[-_DEEPEST:] for name in own}
    for mark, own in zip(("1", "2"), reversed(names[-2:]), strict=False):
        found.update(mark + name for name in own)
    return tuple(sorted(_bucket(name) for name in found))


@functools.lru_cache(maxsize=1 << 18)
def _bucket(name: str) -> int:
    return zlib.crc32(name.encode()) % (1 << PATH_BITS)


def paths(lines: Sequence[str], nodes: Nodes) -> tuple[tuple[int, ...], ...]:
    """For each line of a dump the hashed names around most of its words; () where none was found."""
    words, place = words_of(lines)
    votes: list[Counter[tuple[int, ...]]] = [Counter() for _ in lines]
    for line, at in zip(place.tolist(), matches(nodes.words, words).tolist(), strict=True):
        if at >= 0:
            votes[line][nodes.path[at]] += 1
    return tuple(vote.most_common(1)[0][0] if vote else () for vote in votes)

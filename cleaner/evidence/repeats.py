"""The site profile: in how many documents of a site a line stands, where in them, and what the model makes of it.

A template writes the same lines on every page of a site. On a text dump that is the strongest sign of boilerplate there
is, and it needs no HTML. Lines count as the same if they differ in case, white space and digits alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from cleaner.errors import ProfileError
from cleaner.evidence.compact import CompactLines, compact
from cleaner.evidence.ngrams import hash_spans
from cleaner.records import Label
from cleaner.segment.plain import split

FORMAT = 1
#: Documents are cut into so many parts to say where a line stands.
PARTS = 5
#: A profile tells scores in steps of this.
SCORE_STEP = 10_000
_LABELS = tuple(Label)
#: Odd, so that it has an inverse; of 64 bits.
_BASE = 0x9E3779B97F4A7C15


def line_keys(lines: CompactLines) -> NDArray[np.uint64]:
    """A number for each line, equal for lines that count as the same: uint64 [lines]."""
    if not len(lines):
        return np.zeros(0, dtype=np.uint64)
    keys = hash_spans(lines.folded.astype(np.uint64), lines.start, lines.end, _BASE)
    keys ^= keys >> np.uint64(29)
    return keys * np.uint64(0xBF58476D1CE4E5B9)


def keys_of(texts: Iterable[str]) -> NDArray[np.uint64]:
    """The keys of single lines."""
    table = split(["\n".join(["", *texts])])  # a byte order mark is one at the very beginning only
    return line_keys(compact(table))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document is from: its site, "" for the whole corpus, and its name there."""

    site: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A line that repeats.

    Attributes:
        text: one way in which it is written.
        documents: in how many documents of the site it stands.
        copies: how often it stands in all of them together.
        places: in how many of them in the first, second, ... fifth part of the document.
        score: the sum of the model's scores, in ten-thousandths.
        labels: in how many of them the model gives it which label.
        first: of the names of these documents the first in the alphabet.
    """

    text: str
    documents: int
    copies: int
    places: tuple[int, ...]
    score: int
    labels: tuple[tuple[Label, int], ...]
    first: str = ""

    def merged(self, other: Repeat) -> Repeat:
        """The same line in more documents."""
        labels = dict(self.labels)
        for label, count in other.labels:
            labels[label] = labels.get(label, 0) + count
        return Repeat(
            min(self.text, other.text),
            self.documents + other.documents,
            self.copies + other.copies,
            tuple(a + b for a, b in zip(self.places, other.places, strict=True)),
            self.score + other.score,
            tuple((label, labels[label]) for label in Label if label in labels),
            min(self.first, other.first),
        )


@dataclass(frozen=True, slots=True)
class Site:
    """The documents of a site and the lines that repeat in them, by key."""

    documents: int
    lines: Mapping[int, Repeat]

    @classmethod
    def of(cls, documents: int, lines: Sequence[Repeat]) -> Site:
        """A site with these lines."""
        keys = keys_of(line.text for line in lines).tolist() if lines else []
        if len(keys) != len(lines):
            raise ProfileError("a line of the profile is not one line.")
        return cls(documents, dict(zip(keys, lines, strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """What a profile knows of the lines of a batch; zeros where it knows nothing.

    Attributes:
        documents: int64 [lines], in how many documents of its site a line stands; 0 for a line without a letter, as
            digits count as equal.
        near: int64 [lines], in how many of them about as far down as here.
        edge: int64 [lines], in how many of them in the same part of the document, if that is the first or the last.
        of: int64 [lines], how many documents the site has.
        key: uint64 [lines], equal for lines that count as the same.
        usual: int64 [lines], how often the line stands in a document that has it.
        has_digits: bool [lines], whether lines that count as the same may say different things.
        score: float64 [lines], the mean of the model's scores over them.
        label: int8 [lines], the label that it has oftenest among those that are not kept by default.
        is_first: bool [lines], whether this is the document that keeps it where one is to.
    """

    documents: NDArray[np.int64]
    near: NDArray[np.int64]
    edge: NDArray[np.int64]
    of: NDArray[np.int64]
    key: NDArray[np.uint64]
    usual: NDArray[np.int64]
    has_digits: NDArray[np.bool_]
    score: NDArray[np.float64]
    label: NDArray[np.int8]
    is_first: NDArray[np.bool_]


class Profile:
    """The lines that sites repeat; it never changes.

    Attributes:
        sites: by name.
        least: a line that stands in fewer documents is not in it.
        undercount: by how much a count may be too small, since parts were merged that left rarer lines out.
    """

    __slots__ = ("_arrays", "least", "sites", "undercount")

    def __init__(self, sites: Mapping[str, Site], least: int, undercount: int = 0) -> None:
        self.sites, self.least, self.undercount = dict(sites), least, undercount
        self._arrays = {name: _arrays_of(site) for name, site in self.sites.items()}

    def merged(self, other: Profile) -> Profile:
        """The profile of both corpora together; `undercount` says how exact it is."""
        least = max(self.least, other.least)
        names = sorted({*self.sites, *other.sites})
        nothing = Site(0, {})
        sites = {}
        for name in names:
            one, two = self.sites.get(name, nothing), other.sites.get(name, nothing)
            lines = dict(one.lines)
            for key, line in two.lines.items():
                lines[key] = lines[key].merged(line) if key in lines else line
            sites[name] = Site(one.documents + two.documents, lines)
        missing = 0 if self.least == other.least == 1 else self.least + other.least - 2
        return Profile(sites, least, self.undercount + other.undercount + missing)

    def look_up(self, lines: CompactLines, document: NDArray[np.int64], origins: Sequence[Origin]) -> Repeated:
        """What is known of each line of a batch.

        Args:
            lines: the batch.
            document: int64 [lines], the document of each.
            origins: where each document is from.
        """
        count = len(lines)
        keys = line_keys(lines)
        found = Repeated(
            documents=np.zeros(count, np.int64),
            near=np.zeros(count, np.int64),
            edge=np.zeros(count, np.int64),
            of=np.zeros(count, np.int64),
            key=keys,
            usual=np.zeros(count, np.int64),
            has_digits=np.zeros(count, bool),
            score=np.zeros(count),
            label=np.zeros(count, np.int8),
            is_first=np.zeros(count, bool),
        )
        first = np.searchsorted(document, document)
        size = np.bincount(document, minlength=len(origins))[document]
        part = (np.arange(count) - first) * PARTS // np.maximum(size, 1)
        names = np.array([origin.name for origin in origins])
        number = {name: k for k, name in enumerate(dict.fromkeys(origin.site for origin in origins))}
        site = np.array([number[origin.site] for origin in origins], dtype=np.int64)[document]
        for name in number:
            arrays = self._arrays.get(name)
            if arrays is None or not len(arrays.key):
                continue
            here = np.flatnonzero(site == number[name])
            at = np.minimum(np.searchsorted(arrays.key, keys[here]), len(arrays.key) - 1)
            hit = arrays.key[at] == keys[here]
            here, at = here[hit], at[hit]
            found.usual[here], found.has_digits[here] = arrays.usual[at], arrays.has_digits[at]
            found.near[here] = arrays.near[at, part[here]]
            found.edge[here] = arrays.places[at, part[here]] * np.isin(part[here], (0, PARTS - 1))
            found.documents[here], found.of[here] = arrays.documents[at], self.sites[name].documents
            found.score[here], found.label[here] = arrays.score[at], arrays.label[at]
            found.is_first[here] = arrays.first[at] == names[document[here]]
        return found

    def to_json(self) -> str:
        """The profile as text that people can read and compare: a line each."""
        rows = []
        for name in sorted(self.sites):
            site = self.sites[name]
            lines = sorted(site.lines.values(), key=lambda line: (-line.documents, line.text))
            told = [
                json.dumps(
                    {
                        "text": line.text,
                        "documents": line.documents,
                        "copies": line.copies,
                        "places": list(line.places),
                        "score": line.score,
                        "labels": {label.value: count for label, count in line.labels},
                        "first": line.first,
                    },
                    ensure_ascii=_is_odd(line.text + line.first),
                )
                for line in lines
            ]
            body = ",\n".join(f"    {row}" for row in told)
            rows.append(
                f'  {json.dumps(name)}: {{"documents": {site.documents}, "lines": ['
                + (f"\n{body}\n  " if body else "")
                + "]}"
            )
        head = f'{{"format": {FORMAT}, "least": {self.least}, "undercount": {self.undercount}, "sites": {{\n'
        return head + ",\n".join(rows) + "\n}}\n"

    @classmethod
    def from_json(cls, text: str) -> Profile:
        """Read what `to_json` wrote.

        Raises:
            ProfileError: if it is something else.
        """
        try:
            content = json.loads(text)
            if content["format"] != FORMAT:
                raise ProfileError(f"it has format {content['format']}; this version of cleaner reads {FORMAT}.")
            sites = {name: _site(told) for name, told in content["sites"].items()}
            return cls(sites, int(content["least"]), int(content["undercount"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, ProfileError):
                raise
            raise ProfileError("it is not a site profile that `cleaner learn` wrote.") from None

    @classmethod
    def load(cls, path: Path) -> Profile:
        """Read a profile from a file.

        Raises:
            ProfileError: if there is none.
        """
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ProfileError(f"the profile {path} cannot be read: {reason}.") from None
        except ProfileError as error:
            raise ProfileError(f"the profile {path} cannot be used: {error}") from None


@dataclass(frozen=True, slots=True, eq=False)
class _Arrays:
    key: NDArray[np.uint64]
    documents: NDArray[np.int64]
    near: NDArray[np.int64]
    places: NDArray[np.int64]
    usual: NDArray[np.int64]
    has_digits: NDArray[np.bool_]
    score: NDArray[np.float64]
    label: NDArray[np.int8]
    first: NDArray[np.str_]


def _arrays_of(site: Site) -> _Arrays:
    keys = sorted(key for key, line in site.lines.items() if any(map(str.isalpha, line.text)))
    lines = [site.lines[key] for key in keys]
    return _Arrays(
        np.array(keys, dtype=np.uint64),
        np.array([line.documents for line in lines], dtype=np.int64),
        np.array([_around(line.places) for line in lines], dtype=np.int64).reshape(-1, PARTS),
        np.array([line.places for line in lines], dtype=np.int64).reshape(-1, PARTS),
        np.array([round(line.copies / line.documents) for line in lines], dtype=np.int64),
        np.array([any(map(str.isdigit, line.text)) for line in lines], dtype=bool),
        np.array([line.score / (SCORE_STEP * line.documents) for line in lines], dtype=np.float64),
        np.array([_unwanted(line) for line in lines], dtype=np.int8),
        np.array([line.first for line in lines], dtype=np.str_),
    )


def _around(places: Sequence[int]) -> list[int]:
    """In each part of a document and those beside it: how often a line stands there."""
    return [sum(places[max(part - 1, 0) : part + 2]) for part in range(PARTS)]


def _unwanted(line: Repeat) -> int:
    counts = dict(line.labels)
    others = [label for label in Label if label not in (Label.BODY, Label.TITLE)]
    best = max(others, key=lambda label: counts.get(label, 0))
    return _LABELS.index(best if counts.get(best) else Label.OTHER)


def _site(told: Mapping[str, Any]) -> Site:
    lines = [
        Repeat(
            line["text"],
            int(line["documents"]),
            int(line["copies"]),
            tuple(int(count) for count in line["places"]),
            int(line["score"]),
            tuple((Label(label), int(count)) for label, count in line["labels"].items()),
            line["first"],
        )
        for line in told["lines"]
    ]
    return Site.of(int(told["documents"]), lines)


def _is_odd(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def site_of(url: str | None, name: str) -> str:
    """The site of a document: the host of its address, else the folder of its name, else "" for the whole corpus.

    Args:
        url: its address, if it has one.
        name: what it is called, a path where it is a file.
    """
    if url:
        try:
            host = urlsplit(url if "://" in url else f"//{url}").hostname
        except ValueError:
            host = None
        if host:
            return host.removeprefix("www.")
    return name.rpartition("/")[0]

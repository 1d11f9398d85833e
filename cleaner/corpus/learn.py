"""Learning what sites repeat: one pass labels the documents and counts, a second finds the words of what repeats.

Counts are exact, and memory is bounded: what is counted goes to disk, sorted into parts by its key, and the parts are
added up one after the other. The order of the files and the number of workers make no difference.
"""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cleaner.batches import Sightings
from cleaner.corpus.groups import Group, groups
from cleaner.corpus.job import Job, Summary
from cleaner.corpus.pool import Order, ordered
from cleaner.corpus.spill import Spill
from cleaner.corpus.targets import Targets
from cleaner.corpus.work import Read, cleaner_for, in_time, read_group
from cleaner.evidence.compact import compact
from cleaner.evidence.repeats import PARTS, SCORE_STEP, Origin, Profile, Repeat, Site, line_keys
from cleaner.pipeline import Cleaner
from cleaner.records import Label
from cleaner.segment.decode import decode_html
from cleaner.segment.html import read_html
from cleaner.segment.plain import split
from cleaner.segment.shapes import logical_text

#: A line that stands in fewer documents of its site is not written down.
LEAST = 2
#: Of so many lines at the most the words are kept; beyond that only what stands in more documents.
_MOST_LINES = 2_000_000
#: What is added up of a line's sightings.
_COUNTED = ("score", "copies", "label", "part")
_SEEN = np.dtype([("key", "<u8"), ("score", "<u2"), ("copies", "<u2"), ("label", "u1"), ("part", "u1")])
_MOST_COPIES = np.iinfo(np.uint16).max
_LABELS = tuple(Label)
#: Of a line that repeats: its site, how it is written, the name of a document that has it.
_Told = tuple[str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """What a worker saw in a group: each line once for each document."""

    seen: NDArray[Any]
    sites: Counter[str]
    summary: Summary


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Lines that repeat, over the whole corpus."""

    key: NDArray[np.uint64]
    documents: NDArray[np.int64]
    copies: NDArray[np.int64]
    score: NDArray[np.int64]
    labels: NDArray[np.int64]
    parts: NDArray[np.int64]


def learn(
    targets: Targets, job: Job, *, jobs: int = 1, least: int = LEAST, limit: int | None = None
) -> Iterator[Summary | Profile]:
    """Find what each site of a corpus repeats.

    Args:
        targets: what to read.
        job: what models to ask, and what names a site.
        jobs: how many processes to use.
        least: a line that stands in fewer documents of its site is left out.
        limit: stop after so many documents.

    Yields:
        The counts of each group of documents in turn, and at the end the profile.
    """
    sites: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="cleaner-learn-") as name:
        folder = Path(name)
        with Spill(folder, _SEEN) as spill:
            for group, counted in ordered(_orders(targets, limit, job), _count, jobs):
                spill.add(counted.seen)
                sites += counted.sites
                if group.failure is not None and group.source is not None:
                    counted.summary.fail(group.source.id, group.failure)
                yield counted.summary
        sums, rarest = _sums(spill, least)
        np.save(folder / "keys.npy", sums.key)
        found: dict[int, _Told] = {}
        orders = _orders(targets, limit, job, str(folder / "keys.npy"))
        for _, words in ordered(orders, _words_of, jobs):
            for key, told in words.items():
                _add_words(found, key, told)
    yield _profile(sums, sites, found, max(least, rarest))


def profile_of(
    texts: Sequence[str], origins: Sequence[Origin] | None = None, *, cleaner: Cleaner, least: int = LEAST
) -> Profile:
    """The profile of texts that are at hand.

    Args:
        texts: plain text dumps.
        origins: where each is from; by default all are from one site without a name.
        cleaner: whose model labels them.
        least: a line that stands in fewer documents of its site is left out.
    """
    given = [Origin()] * len(texts) if origins is None else list(origins)
    sightings = cleaner.sightings_many(texts)
    tables = [_table(one, origin.site) for one, origin in zip(sightings, given, strict=True)]
    sums = _at_least(_summed(np.concatenate([np.zeros(0, _SEEN), *tables])), least)
    found: dict[int, _Told] = {}
    for text, origin in zip(texts, given, strict=True):
        _find_words(logical_text(text), origin, sums.key, found)
    return _profile(sums, Counter(origin.site for origin in given), found, least)


def sightings_schema() -> Any:
    """The columns of `sightings_table`."""
    import pyarrow

    kinds = {"site": "string", "key": "int64", "text": "string", "name": "string"}
    kinds |= dict.fromkeys(_COUNTED, "int64")
    return pyarrow.schema([(name, pyarrow.type_for_alias(kind)) for name, kind in kinds.items()])


def sightings_table(batch: Any, job: Job) -> Any:
    """What a batch of rows holds for a profile that another engine adds up.

    Args:
        batch: a pyarrow table or record batch of rows.
        job: what models to ask, and what names a site.

    Returns:
        A record batch: for each document a row with its site alone; for each of its lines, once, the site, a key, how
        it is written, the name of the document, the score in ten-thousandths, how often it stands there, its label and
        the part of the document.
    """
    import pyarrow

    rows: list[dict[str, Any]] = []
    with threadpool_limits(1):  # the engine says how many cores are used
        sighted = list(_sighted(Group(None, table=batch), job))
    for one, sightings in sighted:
        if isinstance(sightings, str):
            continue
        origin = one.origin(job)
        table = _table(sightings, origin.site)
        found: dict[int, _Told] = {}
        _find_words(_lines_of(one), origin, np.sort(table["key"]), found)
        rows.append({"site": origin.site})
        columns = [table["key"], table["key"].view(np.int64), *(table[name] for name in _COUNTED)]
        for key, signed, *counts in zip(*(column.tolist() for column in columns), strict=True):
            site, text, name = found[key]
            line = {"site": site, "key": signed, "text": text, "name": name}
            rows.append(line | dict(zip(_COUNTED, counts, strict=True)))
    return pyarrow.RecordBatch.from_pylist(rows, sightings_schema())


def profile_of_rows(rows: Iterable[Any], least: int) -> Profile:
    """The profile of what another engine has added up, of what `sightings_table` gives, by site and key.

    Args:
        rows: each with the site, the key, `documents` (how many rows), `copies` and `score` (sums), `text` and `name`
            (the least), and `label0`, `part0` and so on (how many rows have that label, that part). Rows without a key
            count the documents of a site.
        least: what was left out stands in fewer documents.
    """
    sites, lines = {}, []
    for row in rows:
        if row["key"] is None:
            sites[row["site"]] = row["documents"]
            continue
        labels = [row[f"label{k}"] for k in range(len(_LABELS))]
        parts = [row[f"part{k}"] for k in range(PARTS)]
        told = (row["site"], row["text"], row["name"])
        lines.append((*told, row["documents"], row["copies"], row["score"], labels, parts))
    return _profile_of(lines, sites, least)


def _profile_of(
    lines: Iterable[tuple[str, str, str, int, int, int, Sequence[int], Sequence[int]]],
    sites: Mapping[str, int],
    least: int,
) -> Profile:
    told: dict[str, list[Repeat]] = {site: [] for site in sites}
    for site, text, first, documents, copies, score, labels, parts in lines:
        given = tuple((label, count) for label, count in zip(Label, labels, strict=True) if count)
        told[site].append(Repeat(text, documents, copies, tuple(parts), score, given, first))
    return Profile({site: Site.of(sites[site], told[site]) for site in sites}, least)


def _orders(targets: Targets, limit: int | None, *arguments: Any) -> Iterator[Order]:
    return ((group, arguments) for group in groups(targets.sources(), limit))


def _site_number(site: str) -> int:
    return int.from_bytes(hashlib.blake2b(site.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _of_site(keys: NDArray[np.uint64], site: str) -> NDArray[np.uint64]:
    """The keys of lines, different for different sites."""
    mixed: NDArray[np.uint64] = (keys ^ np.uint64(_site_number(site))) * np.uint64(0x9E3779B97F4A7C15)
    return mixed


def _count(group: Group, job: Job) -> _Counted:
    summary, sites, tables = Summary(), Counter[str](), []
    for one, sightings in _sighted(group, job):
        summary.documents += 1
        if isinstance(sightings, str):
            summary.fail(one.id, sightings)
            continue
        site = one.origin(job).site
        sites[site] += 1
        summary.lines += len(sightings.key)
        tables.append(_table(sightings, site))
    return _Counted(np.concatenate([np.zeros(0, _SEEN), *tables]), sites, summary)


def _sighted(group: Group, job: Job) -> Iterator[tuple[Read, Sightings | str]]:
    """The documents of a group, each with its lines as a profile counts them, or with what went wrong."""
    # what is learned does not depend on what is known
    cleaner = cleaner_for(dataclasses.replace(job, profile=None))
    read = list(read_group(group, job))
    texts = {k: one.text for k, one in enumerate(read) if one.text is not None}
    pages = {k: (one.page, one.url) for k, one in enumerate(read) if one.page is not None}
    made = in_time(cleaner.sightings_many, texts, job.seconds)
    made |= in_time(cleaner.sightings_html_many, pages, job.seconds)
    for k, one in enumerate(read):
        yield one, one.error or made[k]


def _lines_of(one: Read) -> str:
    """The text whose lines a profile counts."""
    if one.page is None:
        return logical_text(one.text or "")
    page = one.page if isinstance(one.page, str) else decode_html(one.page).text
    return read_html(page, one.url, keeps_tree=False).text


def _table(sightings: Sightings, site: str) -> NDArray[Any]:
    keys, first, copies = np.unique(sightings.key, return_index=True, return_counts=True)
    table = np.zeros(len(keys), _SEEN)
    table["key"] = _of_site(keys, site)
    table["score"] = np.rint(sightings.score[first] * SCORE_STEP)
    table["copies"] = np.minimum(copies, _MOST_COPIES)
    table["label"] = sightings.label[first]
    table["part"] = first * PARTS // max(len(sightings.key), 1)
    return table


def _words_of(group: Group, job: Job, keys: str) -> dict[int, _Told]:
    """The lines of a group that repeat: of which site they are, how they are written, and in which document."""
    wanted = np.load(keys, mmap_mode="r")
    found: dict[int, _Told] = {}
    for one in read_group(group, job):
        if one.error is None:
            _find_words(_lines_of(one), one.origin(job), wanted, found)
    return found


def _find_words(text: str, origin: Origin, wanted: NDArray[np.uint64], found: dict[int, _Told]) -> None:
    """Add the lines of a text that are wanted, by their keys."""
    table = split([text])
    own = _of_site(line_keys(compact(table)), origin.site)
    at = np.searchsorted(wanted, own)
    hit = at < len(wanted)
    hit[hit] = wanted[at[hit]] == own[hit]
    for i in np.flatnonzero(hit).tolist():
        told = (origin.site, text[table.char_start[i] : table.char_end[i]].strip(" \t"), origin.name)
        _add_words(found, int(own[i]), told)


def _add_words(found: dict[int, _Told], key: int, told: _Told) -> None:
    known = found.get(key)
    found[key] = told if known is None else (told[0], min(known[1], told[1]), min(known[2], told[2]))


def _sums(spill: Spill, least: int) -> tuple[_Sums, int]:
    """The lines that stand in so many documents, sorted by key; and in how many the rarest of them stand.

    Should there be too many of them, the rarest are left out.
    """
    parts: list[_Sums] = []
    for seen in spill.parts():
        parts.append(_at_least(_summed(seen), least))
        while sum(len(part.key) for part in parts) > _MOST_LINES:
            least += 1
            parts = [_at_least(part, least) for part in parts]
    return _Sums(*map(np.concatenate, zip(*map(_columns, parts), strict=True))), least


def _summed(seen: NDArray[Any]) -> _Sums:
    seen = seen[np.argsort(seen["key"], kind="stable")]
    first = np.flatnonzero(np.append(True, seen["key"][1:] != seen["key"][:-1])[: len(seen)])
    count = np.diff(first, append=len(seen))
    group = np.repeat(np.arange(len(first)), count)
    labels = np.bincount(group * len(_LABELS) + seen["label"], minlength=len(first) * len(_LABELS))
    parts = np.bincount(group * PARTS + seen["part"], minlength=len(first) * PARTS)
    score, copies = (
        np.bincount(group, seen[name].astype(np.float64), minlength=len(first)).astype(np.int64)
        for name in ("score", "copies")
    )
    return _Sums(seen["key"][first], count, copies, score, labels.reshape(-1, len(_LABELS)), parts.reshape(-1, PARTS))


def _at_least(sums: _Sums, least: int) -> _Sums:
    often = sums.documents >= least
    return _Sums(*(column[often] for column in _columns(sums)))


def _columns(sums: _Sums) -> tuple[NDArray[Any], ...]:
    return sums.key, sums.documents, sums.copies, sums.score, sums.labels, sums.parts


def _profile(sums: _Sums, sites: Counter[str], found: dict[int, _Told], least: int) -> Profile:
    lines = (
        (*found[key], documents, copies, score, labels, parts)
        for key, documents, copies, score, labels, parts in zip(*(c.tolist() for c in _columns(sums)), strict=True)
    )
    return _profile_of(lines, sites, least)

"""The documents of files, in groups: what one worker gets at once.

A group ends when it holds so many documents or bytes. Groups depend on the input alone, never on how many workers there
are, and no group holds documents of two files of many.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from cleaner.corpus.files import Kind, beginning_of, check_beginning, damage, library, opened
from cleaner.corpus.sources import Source
from cleaner.errors import InputError

#: A group of documents ends when it holds this many or this many bytes of text, whichever comes first.
_GROUP_DOCUMENTS, _GROUP_BYTES = 256, 1_000_000
#: HTML has about so many bytes for each byte of text.
_MARKUP = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One document on its way to a worker.

    Attributes:
        id: what it is called.
        path: the file to read, or None where `data` is given.
        data: its bytes, or those of its JSON line.
        kind: what it holds; None for text or HTML, by its content.
        url: its address, if it is known.
        fields: what else is known of it and goes into its row.
    """

    id: str
    path: Path | None = None
    data: bytes | None = None
    kind: Kind | None = None
    url: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Some documents that follow each other.

    Attributes:
        source: the file of many documents that they are from; None for documents that are files of their own.
        entries: the documents, but for those of Parquet.
        table: a pyarrow record batch, for those of Parquet.
        first: how many documents of that file stand before the first.
        consumed: bytes of the input that are read once this group is.
        ends: whether the file ends here.
        failure: why the file could not be read, or not further, one sentence; it ends here.
    """

    source: Source | None
    entries: tuple[Entry, ...] = ()
    table: Any = None
    first: int = 0
    consumed: int = 0
    ends: bool = False
    failure: str | None = None

    def __len__(self) -> int:
        return len(self.entries) if self.table is None else int(self.table.num_rows)

    def one(self, index: int) -> Group:
        """One of its documents, as a group."""
        table = None if self.table is None else self.table.slice(index, 1)
        entries = self.entries[index : index + 1]
        return Group(self.source, entries, table, self.first + index, self.consumed, self.ends, self.failure)

    def up_to(self, count: int) -> Group:
        """Its first documents, as a group that ends its file."""
        table = None if self.table is None else self.table.slice(0, count)
        return Group(self.source, self.entries[:count], table, self.first, self.consumed, True)


def groups(sources: Iterable[Source], limit: int | None = None) -> Iterator[Group]:
    """The documents of files, in order.

    A file of many documents that cannot be read, or not to its end, gives what could be read and a group that says why.

    Args:
        sources: the files; taken lazily.
        limit: stop after so many documents.
    """
    left = limit
    for group in _groups(sources):
        if left is not None:
            if len(group) >= left:
                yield group.up_to(left)
                return
            left -= len(group)
        yield group


def _groups(sources: Iterable[Source]) -> Iterator[Group]:
    consumed = 0
    waiting: list[Entry] = []
    size = 0
    for source in sources:
        if source.holds_many:
            if waiting:
                yield Group(None, tuple(waiting), consumed=consumed)
                waiting, size = [], 0
            yield from _of_many(source, consumed)
            consumed += _size(source)
            continue
        waiting.append(Entry(source.id, source.path, _read_stdin(source), source.kind))
        consumed += _size(source)
        size += _size(source) // (_MARKUP if source.kind is Kind.HTML else 1) if source.path else _GROUP_BYTES
        if len(waiting) >= _GROUP_DOCUMENTS or size >= _GROUP_BYTES:
            yield Group(None, tuple(waiting), consumed=consumed)
            waiting, size = [], 0
    if waiting:
        yield Group(None, tuple(waiting), consumed=consumed)


def _read_stdin(source: Source) -> bytes | None:
    return sys.stdin.buffer.read() if source.path is None else None


def _size(source: Source) -> int:
    with contextlib.suppress(OSError):  # the worker that fails to read it will say why
        return source.path.stat().st_size if source.path else 0
    return 0


#: The entries of a group, or its table; and how many bytes of the file were read for them and all before.
_Part = tuple[tuple[Entry, ...], Any, int]


def _of_many(source: Source, before: int) -> Iterator[Group]:
    count, failure = 0, None
    reader = {Kind.JSONL: _json_lines, Kind.PARQUET: _parquet, Kind.WARC: _warc}[source.kind or Kind.JSONL]
    try:
        for entries, table, consumed in reader(source):
            yield Group(source, entries, table, count, before + consumed)
            count += len(entries) if table is None else table.num_rows
    except Exception as error:
        failure = damage(error) + (f", after {count:,} documents." if count else ".")
    yield Group(source, first=count, consumed=before + _size(source), ends=True, failure=failure)


@contextlib.contextmanager
def _stream(source: Source, kind: Kind) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
    """The file for reading, and how far it has been read."""
    if source.path is None:
        yield sys.stdin.buffer, lambda: 0
        return
    with opened(source.path, source.id) as (stream, raw):
        check_beginning(beginning_of(stream), kind)
        yield stream, raw.tell


def _bundled(entries: Iterator[tuple[Entry, int]], consumed: Callable[[], int]) -> Iterator[_Part]:
    """Documents, each with its size, in groups; what was read before a file breaks off is not lost."""
    waiting: list[Entry] = []
    size, problem = 0, None
    while True:
        try:
            entry, length = next(entries)
        except StopIteration:
            break
        except Exception as error:
            problem = error
            break
        waiting.append(entry)
        size += length
        if len(waiting) >= _GROUP_DOCUMENTS or size >= _GROUP_BYTES:
            yield tuple(waiting), None, consumed()
            waiting, size = [], 0
    if waiting:
        yield tuple(waiting), None, consumed()
    if problem is not None:
        raise problem


def _json_lines(source: Source) -> Iterator[_Part]:
    with _stream(source, Kind.JSONL) as (stream, consumed):
        lines = ((number, line) for number, line in enumerate(stream, start=1) if not line.isspace())
        yield from _bundled(
            ((Entry(f"{source.id}:{number}", data=line, kind=Kind.JSONL), len(line)) for number, line in lines),
            consumed,
        )


def _parquet(source: Source) -> Iterator[_Part]:
    parquet = library("pyarrow.parquet", "to read Parquet", "parquet", "pyarrow")
    if source.path is None:
        raise InputError("Parquet cannot be read from standard input: name a file.")
    with opened(source.path, source.id) as (stream, raw):
        check_beginning(beginning_of(stream), Kind.PARQUET)
        # without these two, several times the memory
        file = parquet.ParquetFile(stream, pre_buffer=False)
        for table in file.iter_batches(_GROUP_DOCUMENTS, use_threads=False):
            rows = max(1, min(_GROUP_DOCUMENTS, _GROUP_BYTES * table.num_rows // max(table.nbytes, 1)))
            for at in range(0, table.num_rows, rows):
                yield (), table.slice(at, rows), raw.tell()


def _warc(source: Source) -> Iterator[_Part]:
    warc = library("fastwarc.warc", "to read WARC and WET", "warc", "FastWARC")
    with _stream(source, Kind.WARC) as (stream, consumed):
        wanted = warc.WarcRecordType.response | warc.WarcRecordType.conversion
        records = warc.ArchiveIterator(stream, record_types=wanted, parse_http=True, auto_decode="all")
        entries = (entry for entry in map(_of_record, records) if entry is not None)
        yield from _bundled(
            ((entry, len(entry.data or b"") // (_MARKUP if entry.kind is Kind.HTML else 1)) for entry in entries),
            consumed,
        )


_HTML_TYPES = ("text/html", "application/xhtml+xml")


def _of_record(record: Any) -> Entry | None:
    """The page or text in a record; None where there is none."""
    payload = record.reader.read()
    type_, charset = "text/plain", "utf-8"
    if record.is_http:
        type_, charset = (record.http_content_type or "text/html").lower(), record.http_charset or ""
        if type_ not in (*_HTML_TYPES, "text/plain"):
            return None
        with contextlib.suppress(LookupError, UnicodeError):  # what the server says comes before what the page says
            payload = payload.decode(charset).encode() if charset else payload
    elif len(payload) < record.content_length:
        raise EOFError
    headers = record.headers
    return Entry(
        id=record.record_id,
        data=payload,
        kind=Kind.HTML if type_ in _HTML_TYPES else Kind.TEXT,
        url=headers.get("WARC-Target-URI"),
        fields={"date": headers.get("WARC-Date")},
    )

"""A run over many documents: read, label, write, count; in several processes if asked.

Documents travel in groups of bounded size, and only a few groups are under way at once, so memory does not grow
with their number. Results come back in the order of the input, whatever finished first.
"""

from __future__ import annotations

import contextlib
import functools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from cleaner import render
from cleaner.config import Config
from cleaner.corpus.sinks import write_atomically
from cleaner.corpus.sources import Source
from cleaner.errors import CleanerError
from cleaner.pipeline import Cleaner
from cleaner.records import Document
from cleaner.segment.decode import decode, to_utf8

#: A group of documents ends when it holds this many or this many bytes, whichever comes first.
_GROUP_DOCUMENTS, _GROUP_BYTES = 256, 1_000_000


class Format(StrEnum):
    """What is made of a document."""

    TEXT = "text"
    JSON = "json"
    LABELS = "labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to do with each document.

    Attributes:
        config: what to keep.
        model: the model's folder.
        format: clean text, JSON with the clean text, or JSON with the whole text.
        target: for a source, the file to write; None hands the result back in `Result.output`.
        removed: for a source, the file for what was taken out; None writes none.
    """

    config: Config
    model: str
    format: Format = Format.TEXT
    target: Callable[[Source], Path | None]
    removed: Callable[[Source], Path | None]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a document.

    Attributes:
        id: the document's.
        error: why it failed, one sentence, or None.
        lines: how many non-empty lines it has.
        kept: how many of them were kept.
        output: what was made of it, if it was not written to a file.
        notes: what the reader of the result should know.
    """

    id: str
    error: str | None = None
    lines: int = 0
    kept: int = 0
    output: bytes | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Summary:
    """Counts over a run."""

    documents: int = 0
    failed: int = 0
    lines: int = 0
    kept: int = 0

    def add(self, result: Result) -> None:
        """Count a document."""
        self.documents += 1
        self.failed += result.error is not None
        self.lines += result.lines
        self.kept += result.kept


def run(documents: Iterable[Source], job: Job, jobs: int = 1) -> Iterator[Result]:
    """Work on documents, yielding a result for each, in order.

    Args:
        documents: what to read; taken lazily.
        job: what to do with each.
        jobs: how many processes to use.
    """
    groups = _grouped(documents)
    if jobs == 1:
        # `jobs` says how many cores to use; threads of the matrix library would take more and gain nothing
        with threadpool_limits(1):
            for group in groups:
                yield from _work(group, job)
    else:
        parallel = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
        for results in parallel(delayed(_work)(group, job) for group in groups):
            yield from results


def _grouped(documents: Iterable[Source]) -> Iterator[list[Source]]:
    group: list[Source] = []
    size = 0
    for source in documents:
        group.append(source)
        with contextlib.suppress(OSError):  # the worker that fails to read it will say why
            size += source.path.stat().st_size if source.path else _GROUP_BYTES
        if len(group) >= _GROUP_DOCUMENTS or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


@functools.lru_cache(maxsize=1)
def _cleaner(model: str, config: Config) -> Cleaner:
    """One loaded model for each process; it holds nothing of any document."""
    return Cleaner(config=config, model=model)


def _work(group: Sequence[Source], job: Job) -> list[Result]:
    cleaner = _cleaner(job.model, job.config)
    results: dict[int, Result] = {}
    texts: dict[int, str] = {}
    about: dict[int, tuple[str, tuple[str, ...]]] = {}
    for k, source in enumerate(group):
        try:
            decoded = decode(sys.stdin.buffer.read() if source.path is None else source.path.read_bytes())
        except OSError as error:
            results[k] = Result(source.id, f"it cannot be read: {error.strerror or error}.")
        except CleanerError as error:
            results[k] = Result(source.id, str(error))
        else:
            texts[k], about[k] = decoded.text, (decoded.encoding, decoded.notes)
    for k, document in _labelled(cleaner, texts):
        source = group[k]
        if isinstance(document, Exception):
            results[k] = Result(source.id, f"it could not be labelled ({document!r}); please report it.")
            continue
        encoding, notes = about[k]
        try:
            results[k] = _finish(Document(document.text, document.lines, document.keep, encoding, notes), source, job)
        except CleanerError as error:
            results[k] = Result(source.id, str(error))
    return [results[k] for k in range(len(group))]


def _labelled(cleaner: Cleaner, texts: dict[int, str]) -> Iterator[tuple[int, Document | Exception]]:
    """Label a group together; should that fail, one by one, so that one document fails and not all."""
    try:
        yield from zip(texts, cleaner.label_many(texts.values()), strict=True)
    except Exception:
        for k, text in texts.items():
            try:
                yield k, cleaner.label(text)
            except Exception as error:
                yield k, error


def _finish(document: Document, source: Source, job: Job) -> Result:
    if job.format is Format.TEXT:
        data = to_utf8(render.clean_text(document))
    else:
        text = render.clean_text(document) if job.format is Format.JSON else document.text
        data = json.dumps(render.to_json(document, source.id, text)).encode("ascii") + b"\n"
    if removed := job.removed(source):
        write_atomically(removed, to_utf8(render.removed_text(document)))
    target = job.target(source)
    if target:
        write_atomically(target, data)
    kept = sum(document.is_kept(line) for line in document.lines)
    return Result(source.id, None, len(document.lines), kept, None if target else data, document.notes)

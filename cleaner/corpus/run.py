"""A run over many documents: read, label, write, count; in several processes if asked.

Documents travel in groups of bounded size, and only a few groups are under way at once, so memory does not grow
with their number. Results come back in the order of the input, whatever finished first.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from cleaner import render
from cleaner.config import Config
from cleaner.corpus.sinks import write_atomically
from cleaner.corpus.sources import InputFormat, Source, has_html_name
from cleaner.errors import CleanerError, ModelError
from cleaner.pipeline import Cleaner
from cleaner.records import Document
from cleaner.segment.decode import Decoded, decode, is_html, to_utf8

#: A group of documents ends when it holds this many or this many bytes, whichever comes first.
_GROUP_DOCUMENTS, _GROUP_BYTES = 256, 1_000_000
#: HTML has about so many bytes for each byte of text.
_MARKUP = 10


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
        model: the folder of the model for text.
        html_model: the folder of the model for HTML.
        input_format: what the documents are; AUTO goes by their names and content.
        fast: whether HTML is labelled without trafilatura's verdicts.
        format: clean text, JSON with the clean text, or JSON with the whole text.
        target: for a source, the file to write; None hands the result back in `Result.output`.
        removed: for a source, the file for what was taken out; None writes none.
    """

    config: Config
    model: str
    html_model: str
    input_format: InputFormat = InputFormat.AUTO
    fast: bool = False
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
        from joblib import Parallel, delayed  # a tenth of what a run over one document takes

        parallel = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
        for results in parallel(delayed(_work)(group, job) for group in groups):
            yield from results


def _grouped(documents: Iterable[Source]) -> Iterator[list[Source]]:
    group: list[Source] = []
    size = 0
    for source in documents:
        group.append(source)
        with contextlib.suppress(OSError):  # the worker that fails to read it will say why
            size += source.path.stat().st_size // _share_of_markup(source) if source.path else _GROUP_BYTES
        if len(group) >= _GROUP_DOCUMENTS or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _share_of_markup(source: Source) -> int:
    """How many bytes of a document hold one byte of text, about."""
    return _MARKUP if has_html_name(source.id) else 1


@functools.lru_cache(maxsize=1)
def _cleaner(model: str, html_model: str, config: Config, fast: bool) -> Cleaner:
    """Models loaded once for each process; they hold nothing of any document."""
    return Cleaner(config=config, model=model, html_model=html_model, fast=fast)


def _work(group: Sequence[Source], job: Job) -> list[Result]:
    cleaner = _cleaner(job.model, job.html_model, job.config, job.fast)
    results: dict[int, Result] = {}
    texts: dict[int, Decoded] = {}
    pages: dict[int, bytes] = {}
    for k, source in enumerate(group):
        try:
            data = sys.stdin.buffer.read() if source.path is None else source.path.read_bytes()
            decoded = as_text(data, source.id, job.input_format)
            if decoded is None:
                pages[k] = data
            else:
                texts[k] = decoded
        except OSError as error:
            results[k] = Result(source.id, f"it cannot be read: {error.strerror or error}.")
        except CleanerError as error:
            results[k] = Result(source.id, str(error))
    labelled = itertools.chain(
        _labelled(lambda these: cleaner.label_many(decoded.text for decoded in these), texts),
        _labelled(lambda these: cleaner.label_html_many((page, None) for page in these), pages),
    )
    for k, document in labelled:
        source = group[k]
        if isinstance(document, CleanerError):
            results[k] = Result(source.id, str(document))
            continue
        if isinstance(document, Exception):
            results[k] = Result(source.id, f"it could not be labelled ({document!r}); please report it.")
            continue
        if k in texts:
            document = replace(document, encoding=texts[k].encoding, notes=texts[k].notes)
        try:
            results[k] = _finish(document, source, job)
        except CleanerError as error:
            results[k] = Result(source.id, str(error))
    return [results[k] for k in range(len(group))]


def as_text(data: bytes, name: str, format: InputFormat) -> Decoded | None:
    """A document's text, or None where it is HTML: by what is said of it, by its name, or by how it begins.

    Raises:
        InputError: for what is neither; the message says what it looks like.
    """
    if format is InputFormat.HTML or (format is InputFormat.AUTO and has_html_name(name)):
        return None
    decoded = decode(data)
    return None if format is InputFormat.AUTO and is_html(decoded.text) else decoded


def _labelled(
    label: Callable[[Iterable[Any]], list[Document]], inputs: Mapping[int, Any]
) -> Iterator[tuple[int, Document | Exception]]:
    """Label a group together; should that fail, one by one, so that one document fails and not all."""
    try:
        yield from zip(inputs, label(inputs.values()), strict=True)
    except ModelError:
        raise
    except Exception:
        for k, one in inputs.items():
            try:
                yield k, label([one])[0]
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

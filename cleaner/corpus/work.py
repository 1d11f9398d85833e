"""What a worker does with a group of documents: read, label, make rows or files, count."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cleaner import render
from cleaner.batches import Outline
from cleaner.config import Config
from cleaner.corpus.files import Kind, damage, opened, packed
from cleaner.corpus.groups import Entry, Group
from cleaner.corpus.job import ERROR, FLAG, Format, Job, OnLoss, Result, Spans, Summary, Task
from cleaner.corpus.sinks import write_atomically
from cleaner.corpus.sources import InputFormat, Source
from cleaner.errors import CleanerError, InputError, ModelError, NoSpaceError
from cleaner.evidence.repeats import Origin, site_of
from cleaner.pipeline import Cleaner
from cleaner.records import Document, Label
from cleaner.segment.decode import Decoded, decode, is_html, to_utf8
from cleaner.timelimit import TakesTooLongError, no_longer_than


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What became of a group.

    Attributes:
        results: of its documents, in order.
        summary: its counts.
        rows: for JSON lines their bytes, compressed if asked for; for Parquet a pyarrow record batch.
    """

    results: list[Result]
    summary: Summary
    rows: Any = None


@dataclass(slots=True)
class Read:
    """A document that was read: its text, or its HTML, or why there is neither."""

    id: str
    path: Path | None = None
    url: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    is_row: bool = False
    text: str | None = None
    page: str | bytes | None = None
    encoding: str | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None

    def origin(self, job: Job) -> Origin:
        """Where it is from, for the site profile."""
        named = self.fields.get(job.site_key) if job.site_key else None
        return Origin(site_of(self.url, self.id if self.path else "") if named is None else str(named), self.id)


@functools.lru_cache(maxsize=1)
def _cleaner(model: str, html_model: str, config: Config, fast: bool, profile: str | None, keep_first: bool) -> Cleaner:
    """Models loaded once for each process; they hold nothing of any document."""
    return Cleaner(config=config, model=model, html_model=html_model, fast=fast, profile=profile, keep_first=keep_first)


def cleaner_for(job: Job) -> Cleaner:
    """The cleaner that a job asks for."""
    return _cleaner(job.model, job.html_model, job.config, job.fast, job.profile, job.keep_first)


def work(group: Group, job: Job, task: Task, failure: str | None = None) -> Done:
    """Clean the documents of a group.

    A document that fails gives a result with its error, and where results are rows a row with it.

    Args:
        group: the documents.
        job: what to do with them.
        task: where their results go.
        failure: why none of them can be cleaned; by default they can.

    Raises:
        ModelError: if a model cannot be loaded.
        NoSpaceError: if the disk is full.
    """
    read = list(read_group(group, job))
    for one in read:
        one.error = failure or one.error
    results, summary, rows = _worked(read, job, task)
    if task.rows == Kind.JSONL:
        return Done(results, summary, packed(b"".join(map(_json_line, rows)), task.packing))
    if task.rows == Kind.PARQUET:
        from cleaner.corpus.tables import table_of

        return Done(results, summary, table_of(rows, group.table, job))
    return Done(results, summary)


def clean_rows(rows: Sequence[dict[str, Any]], job: Job) -> tuple[list[dict[str, Any]], Summary]:
    """Rows as `cleaner clean` would write them, and the counts.

    Args:
        rows: each with its text, or HTML, under the job's key; they stay as they are.
        job: what to do with them.
    """
    read = [_guarded(functools.partial(_of_row, row, str(number), job), str(number)) for number, row in enumerate(rows)]
    _, summary, done = _worked(read, job, Task(Kind.JSONL.value))
    return done, summary


def _worked(read: Sequence[Read], job: Job, task: Task) -> tuple[list[Result], Summary, list[dict[str, Any]]]:
    """What became of documents: results, counts, and rows if they are to be."""
    cleaner = cleaner_for(job)
    whole = job.format is not Format.TEXT or (task.rows is None and task.removed is not None)
    made = _labelled(cleaner, read, job, whole)
    summary = Summary()
    results: list[Result] = []
    rows: list[dict[str, Any]] = []
    for one, outcome in zip(read, made, strict=True):
        summary.documents += 1
        result = _result(one, outcome, job, task, summary, rows)
        if result.error is not None:
            summary.fail(result.id, result.error)
        results.append(result)
    return results, summary, rows


def as_text(data: bytes, name_says_html: bool, format: InputFormat) -> Decoded | None:
    """A document's text, or None where it is HTML: by what is said of it, by its name, or by how it begins.

    Raises:
        InputError: for what is neither; the message says what it looks like.
    """
    if format is InputFormat.HTML or (format is not InputFormat.TEXT and name_says_html):
        return None
    decoded = decode(data)
    return None if format is not InputFormat.TEXT and is_html(decoded.text) else decoded


def read_group(group: Group, job: Job) -> Iterator[Read]:
    """The documents of a group, each with its text, its HTML, or what is wrong with it."""
    if group.table is not None:
        name = group.source.id if group.source else ""
        for number, row in enumerate(group.table.to_pylist(), start=group.first + 1):
            yield _guarded(functools.partial(_of_row, row, f"{name}:{number}", job), f"{name}:{number}")
        return
    for entry in group.entries:
        reader = _of_json if entry.kind is Kind.JSONL else _of_file
        yield _guarded(functools.partial(reader, entry, job), entry.id)


def _guarded(read: Callable[[], Read], id: str) -> Read:
    try:
        return read()
    except Exception as error:  # one document never stops a run
        if isinstance(error, CleanerError | OSError | EOFError) or type(error).__module__ in ("zlib", "zstandard"):
            return Read(id, error=f"{damage(error)}.")
        return Read(id, error=f"it could not be read ({error!r}); please report it.")


def _of_file(entry: Entry, job: Job) -> Read:
    data = entry.data
    if data is None:
        assert entry.path is not None
        with opened(entry.path, entry.id) as (stream, _):
            data = stream.read()
    format = InputFormat.TEXT if entry.kind is Kind.TEXT else job.input_format
    decoded = as_text(data, entry.kind is Kind.HTML, format)
    read = Read(entry.id, entry.path, entry.url, dict(entry.fields))
    if decoded is None:
        read.page = data
    else:
        read.text, read.encoding, read.notes = decoded.text, decoded.encoding, decoded.notes
    return read


def _of_json(entry: Entry, job: Job) -> Read:
    try:
        row = json.loads(entry.data or b"")
    except ValueError as error:
        return Read(entry.id, error=f"it is not JSON ({error}).")
    if not isinstance(row, dict):
        return Read(entry.id, error="it is JSON but not an object with fields.")
    return _of_row(row, entry.id, job)


def _of_row(row: dict[str, Any], place: str, job: Job) -> Read:
    id = row.get(job.id_key)
    url = row.get(job.url_key)
    read = Read(place if id is None else str(id), None, url if isinstance(url, str) else None, row, is_row=True)
    text = row.get(job.text_key)
    if isinstance(text, bytes):
        decoded = as_text(text, False, InputFormat.AUTO)
        text = text.decode("utf-8", "replace") if decoded is None else decoded.text
    if job.text_key not in row:
        read.error = f"it has no field {job.text_key!r}; name the one with the text with --text-key."
    elif not isinstance(text, str):
        read.error = f"its field {job.text_key!r} holds {type(text).__name__}, not text."
    elif job.spans is Spans.LINES and job.labels_key in row:
        read.error = f"it has a field {job.labels_key!r} already; name another one for the labels with --labels-key."
    else:
        read.text, read.page = (None, text) if is_html(text) else (text, None)
    return read


#: What the labelling of a document gives.
_Outcome = Document | Outline | str


def _labelled(cleaner: Cleaner, read: Sequence[Read], job: Job, whole: bool) -> list[_Outcome]:
    """The label of every document's lines, or what went wrong."""
    spans = job.spans is not None
    made: dict[int, _Outcome] = {k: one.error for k, one in enumerate(read) if one.error is not None}
    origins = [one.origin(job) for one in read] if job.profile else [Origin()] * len(read)
    texts = {k: (one.text, origins[k]) for k, one in enumerate(read) if one.text is not None and k not in made}
    pages = {
        k: ((one.page, one.url), origins[k]) for k, one in enumerate(read) if one.page is not None and k not in made
    }
    if whole:
        calls: tuple[Any, Any] = (cleaner.label_many, cleaner.label_html_many)
    else:
        outline = functools.partial(cleaner.outline_many, with_lines=spans)
        calls = (outline, functools.partial(cleaner.outline_html_many, with_lines=spans))
    made |= in_time(_split(calls[0]), texts, job.seconds) | in_time(_split(calls[1]), pages, job.seconds)
    return [made[k] for k in range(len(read))]


def _split(call: Callable[..., Sequence[_Outcome]]) -> Callable[[Sequence[tuple[Any, Origin]]], Sequence[_Outcome]]:
    return lambda given: call([one for one, _ in given], [origin for _, origin in given])


def in_time(label: Callable[[list[Any]], Sequence[Any]], inputs: Mapping[int, Any], seconds: float) -> dict[int, Any]:
    """Work on a group together; should that fail or take too long, one by one, so that no more than one fails."""
    if not inputs:
        return {}
    try:
        with no_longer_than(seconds):
            return dict(zip(inputs, label(list(inputs.values())), strict=True))
    except ModelError:
        raise
    except (Exception, TakesTooLongError):
        return {k: _alone(label, one, seconds) for k, one in inputs.items()}


def _alone(label: Callable[[list[Any]], Sequence[Any]], one: Any, seconds: float) -> Any:
    try:
        with no_longer_than(seconds):
            return label([one])[0]
    except TakesTooLongError:
        return f"it took more than {seconds:g} seconds; allow more with --time-limit."
    except InputError as error:
        return str(error)
    except Exception as error:
        return f"it could not be labelled ({error!r}); please report it."


def _result(
    read: Read, outcome: _Outcome, job: Job, task: Task, summary: Summary, rows: list[dict[str, Any]]
) -> Result:
    if isinstance(outcome, str):
        if task.rows is not None:
            rows.append(_row(read, "", job, error=outcome))
        return Result(read.id, outcome)
    if isinstance(outcome, Document) and not outcome.is_html:
        outcome = replace(outcome, encoding=read.encoding, notes=read.notes)
    notes = (*read.notes, *outcome.notes) if isinstance(outcome, Outline) else outcome.notes
    counts, words, kept_words = _counts(outcome)
    lines, kept = sum(counts.values()), sum(count for label, count in counts.items() if label in job.config.keep)
    loss = 1 - kept_words / words if words else 0.0
    flag = None
    if job.max_loss is not None and loss > job.max_loss:
        flag = f"{loss:.0%} of its words {'would be' if job.on_loss is OnLoss.KEEP else 'were'} taken out"
        notes = (*notes, f"{flag}.")
    leave = flag is not None and job.on_loss is OnLoss.KEEP
    original = outcome.whole if isinstance(outcome, Outline) else outcome.text
    result = Result(read.id, None, lines, lines if leave else kept, None, notes)
    clean = original if leave else outcome.text if isinstance(outcome, Outline) else render.clean_text(outcome)
    try:
        if task.rows is not None:
            rows.append(_row(read, clean, job, outcome=outcome, flag=flag))
        else:
            result = _to_file(result, read, clean, outcome, job, task)
    except NoSpaceError:
        raise
    except CleanerError as error:
        return Result(read.id, str(error))
    summary.flagged += flag is not None
    summary.lines += lines
    summary.kept += result.kept
    summary.words += words
    summary.kept_words += words if leave else kept_words
    summary.bytes += len(to_utf8(original))
    if not leave:
        summary.removed.update({label.value: n for label, n in counts.items() if n and label not in job.config.keep})
    return result


def _counts(outcome: Document | Outline) -> tuple[dict[Label, int], int, int]:
    """How many lines carry each label; how many words there are, and how many are kept."""
    if isinstance(outcome, Outline):
        return dict(zip(Label, outcome.labels, strict=True)), outcome.words, outcome.kept_words
    counts = dict.fromkeys(Label, 0)
    words = kept = 0
    for line in outcome.lines:
        counts[line.label] += 1
        size = len(line.text.split())
        words += size
        kept += size * outcome.is_kept(line)
    return counts, words, kept


def _to_file(result: Result, read: Read, clean: str, outcome: Document | Outline, job: Job, task: Task) -> Result:
    if job.format is Format.TEXT:
        data = to_utf8(clean)
    else:
        assert isinstance(outcome, Document)
        text = clean if job.format is Format.JSON else outcome.text
        data = json.dumps(render.to_json(outcome, read.id, text)).encode("ascii") + b"\n"
    source = Source(read.path, read.id)
    if task.removed and (removed := task.removed(source)):
        assert isinstance(outcome, Document)
        write_atomically(removed, to_utf8(render.removed_text(outcome)))
    if task.target and (target := task.target(source)):
        write_atomically(target, data)
        return result
    return replace(result, output=data)


def _row(
    read: Read,
    text: str,
    job: Job,
    *,
    outcome: Document | Outline | None = None,
    error: str | None = None,
    flag: str | None = None,
) -> dict[str, Any]:
    if isinstance(outcome, Document):  # everything is asked for
        return render.to_json(outcome, read.id, text if job.format is Format.JSON else outcome.text)
    spans = outcome.lines if isinstance(outcome, Outline) else ()
    if job.spans is Spans.DOLMA:
        attributes: dict[str, list[list[float]]] = {}
        for start, end, label, score in spans:
            attributes.setdefault(f"cleaner__{label.value}", []).append([start, end, score])
        row: dict[str, Any] = {job.id_key: read.id, "attributes": attributes}
    else:
        row = dict(read.fields) if read.is_row else _new_row(read, job)
        row[job.text_key] = text
        if job.spans is Spans.LINES and error is None:
            row[job.labels_key] = [
                {"start": start, "end": end, "label": label.value, "score": score} for start, end, label, score in spans
            ]
    if error is not None:
        row[ERROR] = error
    if flag is not None:
        row[FLAG] = flag
    return row


def _new_row(read: Read, job: Job) -> dict[str, Any]:
    known = {job.id_key: read.id, job.url_key: read.url, **read.fields}
    return {name: value for name, value in known.items() if value is not None}


def _json_line(row: dict[str, Any]) -> bytes:
    text = json.dumps(row, ensure_ascii=False, default=_plain)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can tell
        return json.dumps(row, default=_plain).encode("ascii") + b"\n"


def _plain(value: Any) -> str:
    """A value of Parquet that JSON does not know."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)

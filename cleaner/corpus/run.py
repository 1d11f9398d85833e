"""A run over many documents: read, clean, write, count; in several processes, and to be gone on with if it stops.

Documents travel in groups of bounded size, and only a few groups are under way at once, so memory does not grow
with their number. Results come back in the order of the input, whatever finished first.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any

import numpy as np

from cleaner.corpus import ledger as ledgers
from cleaner.corpus.groups import Group, groups
from cleaner.corpus.job import Job, Result, Summary, Task
from cleaner.corpus.pool import spread
from cleaner.corpus.sinks import Rows, beside, writing
from cleaner.corpus.sources import Source
from cleaner.corpus.spill import Spill
from cleaner.corpus.targets import Targets
from cleaner.corpus.work import Done
from cleaner.errors import ConfigError

#: So many names that stand more than once are told.
_MOST_REPEATED = 100
#: So many names are looked at together when repeated ones are looked for.
_NAMES_AT_ONCE = 10_000
_KEYS = np.dtype([("key", "<u8")])


@dataclass(frozen=True, slots=True)
class Step:
    """What a run did last.

    Attributes:
        results: of the documents of a group.
        consumed: bytes of the input that have been read.
        rows: of the group, where they are printed.
    """

    results: list[Result]
    consumed: int
    rows: bytes | None = None


class Run:
    """A run that is under way.

    Attributes:
        summary: what was done so far, by an earlier run into the same place too.
        repeated: once it is finished, the names that more than one row has.
        interrupted: whether it was asked to stop before its end.
        can_resume: whether a run that stopped can go on.
    """

    def __init__(
        self, targets: Targets, job: Job, *, jobs: int = 1, limit: int | None = None, resume: bool | None = None
    ) -> None:
        """Prepare a run.

        Args:
            targets: what to read and where to write.
            job: what to do with each document.
            jobs: how many processes to use.
            limit: stop after so many documents.
            resume: whether to go on where an earlier run was; None refuses to decide if there is one.

        Raises:
            ConfigError: if it cannot be gone on with, or there is an earlier run and nothing was said of it.
        """
        self.summary = Summary()
        self.repeated: list[str] = []
        self.interrupted = False
        self._targets, self._job, self._jobs, self._limit = targets, job, jobs, limit
        path = targets.ledger()
        if path is None and resume:
            raise ConfigError(
                "there is nothing to go on with: only a run into a folder or a file of rows leaves a trace."
            )
        self._ledger = None if path is None else ledgers.Ledger(path, _command(targets, job, limit), resume)
        self._rows: Rows | None = None
        self._ids: IO[bytes] | None = None

    @property
    def can_resume(self) -> bool:
        """Whether a run that stopped can go on."""
        return self._ledger is not None

    def steps(self) -> Iterator[Step]:
        """Do it, group by group."""
        done_before = self._ledger.entries if self._ledger else []
        for entry in done_before:
            self.summary.add(entry.summary)
        self._resume_rows(done_before)
        given = _after(groups(self._targets.sources(), self._limit), done_before)
        try:
            with self._stoppable():
                for group, done in spread(map(self._order, self._until_stopped(given)), self._job, self._jobs):
                    yield self._take(group, done)
            if not self.interrupted:
                self._finish()
        finally:
            for file in (self._rows, self._ledger, self._ids):
                if file is not None:
                    file.close()

    def _order(self, group: Group) -> tuple[Group, Task]:
        rows = self._targets.rows_of(group.source)
        if rows is None:
            wants_removed = self._targets.removed_folder is not None
            return group, Task(None, "", self._targets.target, self._targets.removed if wants_removed else None)
        return group, Task(rows[1].value, rows[2])

    def _take(self, group: Group, done: Done) -> Step:
        if group.failure is not None and group.source is not None:
            done.summary.fail(group.source.id, group.failure)
            done.results.append(Result(group.source.id, group.failure))
        self.summary.add(done.summary)
        rows = self._targets.rows_of(group.source)
        printed = None
        finished: Rows | None = None
        if rows is not None and rows[0] is None:
            printed = done.rows
        elif rows is not None and rows[0] is not None:
            self._note_ids(group, done)
            sink = self._sink(rows[0], rows[1].value, group.source)
            if len(group):
                sink.append(done.rows)
            if group.ends and self._targets.rows is None:
                if group.failure and not sink.offset:
                    sink.close()  # there is nothing to write
                else:
                    sink.finish()
                finished, self._rows = sink, None
        if self._ledger is not None:
            offset = self._rows.offset if self._rows else 0
            ids = self._ids.tell() if self._ids else 0
            name = group.source.id if group.source else None
            self._ledger.append(ledgers.Entry(name, len(group), offset, ids, group.ends, done.summary))
        if finished is not None:
            finished.clean_up()
        return Step(done.results, group.consumed, printed)

    def _sink(self, path: Path, kind: str, source: Source | None, offset: int = 0) -> Rows:
        if self._rows is None:
            self._rows = Rows(path, kind, source.path if source and source.kind == kind else None, self._job, offset)
        return self._rows

    def _resume_rows(self, done: list[ledgers.Entry]) -> None:
        """Open what the last group was written to, without what was written after it."""
        if self._targets.output is not None and self._ids_wanted():
            path = beside(self._targets.output, ".names")
            with writing(path):
                self._ids = path.open("r+b" if done and path.exists() else "w+b")
                self._ids.truncate(done[-1].ids if done else 0)
                self._ids.seek(0, os.SEEK_END)
        if not done:
            return
        source = next((source for source in self._targets.sources() if source.id == done[-1].source), None)
        rows = self._targets.rows_of(source)
        if done[-1].ends and self._targets.rows is None:
            if rows is not None and rows[0] is not None:  # it may have been killed before it cleaned up
                beside(rows[0], ".part").unlink(missing_ok=True)
            return
        if rows is not None and rows[0] is not None:
            first = source if self._targets.rows is None else next(self._targets.sources())
            self._sink(rows[0], rows[1].value, first, done[-1].offset)

    def _ids_wanted(self) -> bool:
        return self._ledger is not None and (self._targets.rows is not None or next(self._targets.sources()).holds_many)

    def _note_ids(self, group: Group, done: Done) -> None:
        if self._ids is not None and self._targets.output is not None:
            names = [result.id for result in done.results[: len(group)]]
            with writing(beside(self._targets.output, ".names")):
                self._ids.write(b"".join(json.dumps(name).encode("ascii") + b"\n" for name in names))
                self._ids.flush()

    def _finish(self) -> None:
        rows = self._rows
        if rows is None and self._targets.rows is not None and self._targets.output is not None:
            rows = Rows(self._targets.output, self._targets.rows.value, None, self._job)  # no document at all
        if rows is not None:
            rows.finish()
            self._rows = None
        if self._ids is not None:
            self.repeated = _repeated(self._ids)
            self._ids.close()
            assert self._targets.output is not None
            beside(self._targets.output, ".names").unlink(missing_ok=True)
            self._ids = None
        if self._ledger is not None:
            self._ledger.discard()
            self._ledger = None
        if rows is not None:
            rows.clean_up()

    def _until_stopped(self, every: Iterable[Group]) -> Iterator[Group]:
        return itertools.takewhile(lambda _: not self.interrupted, every)

    @contextlib.contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Let the first interrupt finish what is under way; the second one is not waited for."""
        if not self.can_resume or threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, frame: FrameType | None) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _after(every: Iterator[Group], done: list[ledgers.Entry]) -> Iterator[Group]:
    """The groups that are not done yet.

    Raises:
        ConfigError: if the groups are not those that were done.
    """
    for entry in done:
        group = next(every, None)  # one without a document is false
        name = group.source.id if group is not None and group.source else None
        if group is None or (name, len(group), group.ends) != (entry.source, entry.documents, entry.ends):
            raise ConfigError("the input has changed since the earlier run; begin anew with --no-resume.")
    yield from every


def _command(targets: Targets, job: Job, limit: int | None) -> dict[str, Any]:
    """What a run is asked to do, as far as its results depend on it."""
    told = dataclasses.asdict(job) | {"keep": sorted(job.config.keep), "limit": limit}
    inputs: list[Any] = []
    for name in targets.inputs:
        path = Path(name)
        status = path.stat() if path.is_file() else None
        inputs.append([name, status.st_size if status else None, status.st_mtime_ns if status else None])
    return told | {
        "config": str(job.config.min_score) + str(job.config.max_body_loss),
        "inputs": inputs,
        "format": targets.format,
        "glob": targets.glob,
        "suffix": targets.suffix,
    }


def _repeated(ids: IO[bytes]) -> list[str]:
    """The names that stand more than once in a list of them, the first of these; memory is bounded."""
    twice: set[int] = set()
    with tempfile.TemporaryDirectory(prefix="cleaner-names-") as folder, Spill(Path(folder), _KEYS) as spill:
        ids.seek(0)
        while lines := list(itertools.islice(ids, _NAMES_AT_ONCE)):
            spill.add(np.fromiter(((hash(line) % (1 << 64),) for line in lines), dtype=_KEYS, count=len(lines)))
        for rows in spill.parts():
            keys = np.sort(rows["key"])
            twice.update(keys[1:][keys[1:] == keys[:-1]].tolist())
    if not twice:
        return []
    ids.seek(0)
    times = Counter(line for line in ids if hash(line) % (1 << 64) in twice)
    return [json.loads(line) for line, count in times.items() if count > 1][:_MOST_REPEATED]

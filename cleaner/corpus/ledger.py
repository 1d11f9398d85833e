"""What a run has done so far, on disk: a line for each group, so that a run that was killed can go on.

A line is written after the rows or files of its group are; what was written after the last line is done again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cleaner.corpus.job import Summary
from cleaner.corpus.sinks import writing
from cleaner.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Entry:
    """A group that is done.

    Attributes:
        source: the file of many documents that it is from, or None.
        documents: how many it has.
        offset: how long the part was that its rows went to.
        ids: how long the list of names was.
        ends: whether its file ends with it.
        summary: its counts.
    """

    source: str | None
    documents: int
    offset: int
    ids: int
    ends: bool
    summary: Summary


class Ledger:
    """The lines of a run, as a file that grows."""

    def __init__(self, path: Path, command: dict[str, Any], resume: bool | None) -> None:
        """Read what an earlier run has done, or begin anew.

        Args:
            path: the file.
            command: what the run is asked to do; an earlier run must have been asked the same.
            resume: whether to go on where an earlier run was; None refuses to decide if there is one.

        Raises:
            ConfigError: if there is an earlier run and nothing is said of it, or it was asked for something else.
            OutputError: if the file cannot be written.
        """
        self._path = path
        head = hashlib.sha256(json.dumps(command, sort_keys=True, default=str).encode()).hexdigest()
        self.entries: list[Entry] = []
        good = 0
        if path.exists() and resume is not False:
            lines = path.read_bytes().splitlines(keepends=True)
            if len(lines) > 1 and lines[1].endswith(b"\n"):  # else it did nothing
                if resume is None:
                    raise ConfigError(
                        "an earlier run into this place was not finished; go on with --resume, or begin anew with "
                        "--no-resume."
                    )
                if lines[0].decode().strip() != head:
                    raise ConfigError(
                        "the earlier run was asked for something else, or its input has changed; repeat its command "
                        "with --resume, or begin anew with --no-resume."
                    )
                good = len(lines[0])
                for line in lines[1:]:
                    if not line.endswith(b"\n"):  # it was killed while it wrote this
                        break
                    self.entries.append(_entry(json.loads(line)))
                    good += len(line)
        self._is_empty = not self.entries
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("r+b" if good else "wb")
            self._file.truncate(good)
            self._file.seek(good)
            if not good:
                self._write(head.encode() + b"\n")

    def append(self, entry: Entry) -> None:
        """Note that a group is done."""
        told = [entry.source, entry.documents, entry.offset, entry.ids, entry.ends, entry.summary.to_json()]
        with writing(self._path):
            self._is_empty = False
            self._write(json.dumps(told).encode("ascii") + b"\n")

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Leave the file for a later run, if there is anything to go on with."""
        if self._is_empty:
            self.discard()
        self._file.close()

    def discard(self) -> None:
        """The run is finished; nothing is left to go on with."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()


def _entry(told: list[Any]) -> Entry:
    source, documents, offset, ids, ends, summary = told
    return Entry(source, documents, offset, ids, ends, Summary.from_json(summary))

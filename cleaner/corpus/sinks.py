"""Where results go: files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cleaner.corpus.files import Kind, is_remote
from cleaner.corpus.job import Job
from cleaner.errors import NoSpaceError, OutputError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file, its folders included, so that nobody ever sees a part of it.

    Raises:
        NoSpaceError: if the disk is full.
        OutputError: if it cannot be written; what stood at `path` before is still there.
    """
    with writing(path):
        if is_remote(path):  # an object store shows an object once it is whole
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            return
        if path.exists() and not (path.is_file() or path.is_dir()):
            path.write_bytes(data)  # a device or a pipe cannot be replaced, only written to
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # always the same name: should the run be killed here, the next one takes it over; and never too long a name
        temporary = path.parent / f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.part"
        try:
            with temporary.open("wb") as file:
                file.write(data)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say of what goes wrong with a file that it was to be written.

    Raises:
        NoSpaceError: if the disk is full.
        OutputError: if it cannot be written.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        kind = NoSpaceError if error.errno in _FULL else OutputError
        raise kind(f"{path} cannot be written: {error.strerror or error}.") from error


def beside(path: Path, ending: str) -> Path:
    """A hidden file beside an output, for what a run needs on its way; of a remote output, one on this machine."""
    if is_remote(path):
        name = hashlib.sha256(str(path).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"cleaner-{name}{ending}"
    return path.parent / f".{path.name}{ending}"


class Rows:
    """Rows on their way into one file: they are put into a part of it, which takes its name once it is whole."""

    def __init__(self, path: Path, kind: str, source: Path | None, job: Job, offset: int = 0) -> None:
        """Go on with the part, or begin one.

        Args:
            path: the file.
            kind: JSONL or PARQUET.
            source: the Parquet file that the rows come from, if they do.
            job: what was asked for.
            offset: how much of the part is to be trusted; the rest of it is dropped.

        Raises:
            OutputError: if the part is shorter, or cannot be written.
        """
        self.path, self._kind, self._source, self._job = path, kind, source, job
        self._part = beside(path, ".part")
        with writing(path):
            self._part.parent.mkdir(parents=True, exist_ok=True)
            if offset and not self._part.exists() and kind == Kind.JSONL and not is_remote(path):
                path.replace(self._part)  # it was given its name just before the run was killed
            self._file = self._part.open("r+b" if offset else "wb")
            if self._file.seek(0, os.SEEK_END) < offset:
                self._file.close()
                raise OutputError(f"{self._part} is shorter than it was; start anew with --no-resume.")
            self._file.truncate(offset)
            self._file.seek(offset)
        self.offset = offset

    def append(self, rows: Any) -> None:
        """Write the rows of a group: bytes for JSON lines, a pyarrow record batch for Parquet."""
        if self._kind == Kind.PARQUET:
            from cleaner.corpus import tables

            data = tables.as_bytes(rows) if self.offset else tables.header(rows.schema) + tables.as_bytes(rows)
        else:
            data = rows
        with writing(self.path):
            self._file.write(data)
            self._file.flush()
            os.fsync(self._file.fileno())
        self.offset += len(data)

    def finish(self) -> None:
        """Nothing follows: the file is whole, and gets its name. What it was made of stays until `clean_up`."""
        with writing(self.path):
            self._file.close()
            whole = self._part
            if self._kind == Kind.PARQUET:
                from cleaner.corpus import tables

                whole = beside(self.path, ".whole")
                tables.write_parquet(self._part, whole, self._source, self._job)
            if is_remote(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with whole.open("rb") as local, self.path.open("wb") as remote:
                    shutil.copyfileobj(local, remote, 1 << 20)
                if whole != self._part:
                    whole.unlink()
            else:
                whole.replace(self.path)

    def clean_up(self) -> None:
        """It is noted that the file is whole: drop what it was made of."""
        self._part.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave the part as it is, for a later run."""
        self._file.close()

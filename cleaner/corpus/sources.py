"""Where documents come from: the files that a list of paths names, and what each of them is taken for."""

from __future__ import annotations

import fnmatch
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cleaner.corpus.files import SUFFIXES, Kind, beginning_of, is_remote, kind_of, looks_like_jsonl, name_below, place
from cleaner.errors import ConfigError, InputError

STDIN = "-"
TEXT_SUFFIX = ".txt"
HTML_SUFFIXES = tuple(ending for ending, kind in SUFFIXES.items() if kind is Kind.HTML)


class InputFormat(StrEnum):
    """What files are taken for; AUTO goes by their names and content."""

    AUTO = "auto"
    TEXT = "text"
    HTML = "html"
    JSONL = "jsonl"
    PARQUET = "parquet"
    WARC = "warc"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read.

    Attributes:
        path: the file, or None for standard input.
        id: what it is called: its path below the folder that was named, or the file's name.
        kind: what it holds; None for one document that may be text or HTML.
    """

    path: Path | None
    id: str
    kind: Kind | None = None

    @property
    def holds_many(self) -> bool:
        """Whether it holds many documents."""
        return self.kind is not None and self.kind.holds_many


def sources(
    inputs: Sequence[str],
    without: Sequence[Path] = (),
    format: InputFormat = InputFormat.AUTO,
    glob: str | None = None,
) -> Iterator[Source]:
    """The files that a list of files, folders and "-" names, folder by folder in the order of their names.

    Args:
        inputs: paths; a folder stands for every file below it of a kind that is read.
        without: folders that are not entered, so that results inside an input are not read again.
        format: what the files are.
        glob: a pattern for the files of a folder, of their names or of their paths below it.

    Raises:
        InputError: for a path that does not exist, and a folder without such a file.
    """
    closed = frozenset(folder.resolve() for folder in without if not is_remote(folder))
    for name in inputs:
        if name == STDIN:
            yield Source(None, STDIN, _kind_of_stdin(format))
            continue
        path = place(name)
        if path.is_dir():
            found = False
            for found_path in _files(path, closed):
                id = name_below(found_path, path)
                if _is_wanted(id, format, glob):
                    found = True
                    yield Source(found_path, id, _kind(id, format))
            if not found:
                what = f"no file that fits {glob}" if glob else f"no {_endings(format)} file"
                raise InputError(f"{name} holds {what}; name the files themselves if they are called otherwise.")
        elif path.exists():
            yield Source(path, path.name, _kind(path.name, format))
        else:
            raise InputError(f"{name} does not exist.")


def _kind(name: str, format: InputFormat) -> Kind | None:
    if format is not InputFormat.AUTO:
        return Kind(format.value)
    kind = kind_of(name)
    return None if kind is Kind.TEXT else kind  # a page may be called .txt


def _kind_of_stdin(format: InputFormat) -> Kind | None:
    if format is not InputFormat.AUTO:
        return Kind(format.value)
    return Kind.JSONL if looks_like_jsonl(beginning_of(sys.stdin.buffer)) else None


def _is_wanted(id: str, format: InputFormat, glob: str | None) -> bool:
    if glob is not None:
        return fnmatch.fnmatch(id, glob) or fnmatch.fnmatch(id.rsplit("/", 1)[-1], glob)
    kind = kind_of(id)
    return kind is not None and (format is InputFormat.AUTO or kind.value == format.value)


def _endings(format: InputFormat) -> str:
    return " or ".join(ending for ending, kind in SUFFIXES.items() if format in (InputFormat.AUTO, kind.value))


def _files(folder: Path, closed: frozenset[Path]) -> Iterator[Path]:
    """Every file below a folder; the names in one folder at a time are held, never all."""
    try:
        entries = sorted(_entries(folder))
    except OSError as error:
        raise InputError(f"{folder} cannot be listed: {error.strerror}.") from None
    for name, is_folder in entries:
        path = folder / name
        if not is_folder:
            yield path
        elif is_remote(path) or path.resolve() not in closed:
            yield from _files(path, closed)


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """The names in a folder, and whether each is a folder; what is hidden and links to folders are left out."""
    if is_remote(folder):
        yield from ((entry.name, entry.is_dir()) for entry in folder.iterdir() if not entry.name.startswith("."))
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            leads_round = entry.is_symlink() and Path(entry.path).is_dir()  # perhaps in a circle
            if not entry.name.startswith(".") and not leads_round:
                yield entry.name, is_folder


def check_readable_twice(inputs: Sequence[str]) -> None:
    """Refuse standard input where the documents are read more than once.

    Raises:
        ConfigError: if it is among the inputs.
    """
    if STDIN in inputs:
        raise ConfigError("standard input (-) can be read once only; this needs the documents twice: name files.")

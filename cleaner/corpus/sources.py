"""Where documents come from: files, folders of text and HTML files, standard input."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from cleaner.errors import InputError

STDIN = "-"
TEXT_SUFFIX = ".txt"
HTML_SUFFIXES = (".html", ".htm")


class InputFormat(StrEnum):
    """What documents are."""

    AUTO = "auto"
    TEXT = "text"
    HTML = "html"

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of the files that are read in a folder."""
        endings = {InputFormat.TEXT: (TEXT_SUFFIX,), InputFormat.HTML: HTML_SUFFIXES}
        return endings.get(self, (TEXT_SUFFIX, *HTML_SUFFIXES))


def has_html_name(name: str) -> bool:
    """Whether a file's name says that it is HTML."""
    return name.lower().endswith(HTML_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Source:
    """One document to read.

    Attributes:
        path: the file, or None for standard input.
        id: what the document is called: its path below the folder that was named, or the file's name.
    """

    path: Path | None
    id: str


def sources(
    inputs: Sequence[str], without: Sequence[Path] = (), format: InputFormat = InputFormat.AUTO
) -> Iterator[Source]:
    """The documents that a list of files, folders and "-" names, folder by folder in the order of their names.

    Args:
        inputs: paths; a folder stands for every file below it that ends as the format does.
        without: folders that are not entered, so that results inside an input are not read again.
        format: what the documents are.

    Raises:
        InputError: for a path that does not exist, and a folder without such a file.
    """
    closed = frozenset(folder.resolve() for folder in without)
    for name in inputs:
        if name == STDIN:
            yield Source(None, STDIN)
            continue
        path = Path(name)
        if path.is_dir():
            found = False
            for found_path in _files(path, closed, format.suffixes):
                found = True
                yield Source(found_path, PurePosixPath(found_path.relative_to(path)).as_posix())
            if not found:
                endings = " or ".join(format.suffixes)
                raise InputError(f"{name} holds no {endings} file; name the files themselves if they end otherwise.")
        elif path.exists():
            yield Source(path, path.name)
        else:
            raise InputError(f"{name} does not exist.")


def _files(folder: Path, closed: frozenset[Path], suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Every file with one of some endings below a folder; entries of one folder at a time are held, never all."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder} cannot be listed: {error.strerror}.") from None
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):  # a link may lead round in a circle
            if Path(entry.path).resolve() not in closed:
                yield from _files(Path(entry.path), closed, suffixes)
        elif entry.name.lower().endswith(suffixes):
            yield Path(entry.path)

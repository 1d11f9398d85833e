"""Files: what they hold by their names and by how they begin, how they are packed, and where they lie."""

from __future__ import annotations

import contextlib
import gzip
import importlib
import io
import zlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, cast

from cleaner.errors import CleanerError, InputError, missing_extra


class Kind(StrEnum):
    """What a file holds: one document, or a row or record for each of many."""

    TEXT = "text"
    HTML = "html"
    JSONL = "jsonl"
    PARQUET = "parquet"
    WARC = "warc"

    @property
    def holds_many(self) -> bool:
        """Whether a file of this kind holds many documents."""
        return self in (Kind.JSONL, Kind.PARQUET, Kind.WARC)


GZIP, ZSTD = ".gz", ".zst"
#: The endings of files that are read in a folder, packed ones besides.
SUFFIXES = {
    ".txt": Kind.TEXT, ".html": Kind.HTML, ".htm": Kind.HTML, ".jsonl": Kind.JSONL, ".ndjson": Kind.JSONL,
    ".parquet": Kind.PARQUET, ".warc": Kind.WARC, ".wet": Kind.WARC,
}  # fmt: skip
_BEGINS = {GZIP: b"\x1f\x8b", ZSTD: b"\x28\xb5\x2f\xfd"}
_NAMES = {GZIP: "gzip", ZSTD: "zstd"}
#: How files begin that hold many documents; JSON lines may begin with white space.
_KIND_BEGINS = {Kind.JSONL: b"{", Kind.PARQUET: b"PAR1", Kind.WARC: b"WARC/"}
_LOOKED_AT = 4096
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def packing(name: str) -> str:
    """How a file is compressed by its name: ".gz", ".zst" or ""."""
    return next((ending for ending in (GZIP, ZSTD) if name.lower().endswith(ending)), "")


def kind_of(name: str) -> Kind | None:
    """What a file holds by its name, the ending of its compression apart; None if that says nothing."""
    bare = name.lower()
    bare = bare.removesuffix(packing(bare))
    return next((kind for ending, kind in SUFFIXES.items() if bare.endswith(ending)), None)


def place(name: str) -> Path:
    """The path that a name stands for: of this machine, or with `scheme://` of whatever fsspec reaches.

    Raises:
        MissingExtraError: for the latter, if universal_pathlib is not installed.
    """
    if "://" not in name:
        return Path(name)
    return cast(Path, library("upath", f"to reach {name}", "remote", "universal_pathlib").UPath(name))


def is_remote(path: Path) -> bool:
    """Whether a path is not one of this machine."""
    return not isinstance(path, Path)


@contextlib.contextmanager
def opened(path: Path, name: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A file for reading, unpacked if its name says that it is packed, every member of it; and the file as it lies.

    Args:
        path: where it is.
        name: what it is called.

    Raises:
        InputError: if it is not packed as its name says.
        MissingExtraError: if zstandard is needed and not installed.
        OSError: if it cannot be opened.
    """
    how = packing(name)
    with path.open("rb") as raw:
        if not how:
            yield raw, raw
            return
        start = raw.read(len(_BEGINS[how]))
        raw.seek(0)
        if start and start != _BEGINS[how]:
            raise InputError(f"it is not {_NAMES[how]} data, though its name ends in {how}; rename it.")
        with unpacked(raw, how) as stream:
            yield stream, raw


def unpacked(raw: IO[bytes], how: str) -> IO[bytes]:
    """What a compressed stream holds, to the end of its last member."""
    if how == GZIP:
        return cast(IO[bytes], gzip.open(raw))
    return cast(IO[bytes], io.BufferedReader(_Frames(raw, _zstandard("to read it").ZstdDecompressor()), 1 << 20))


class _Frames(io.RawIOBase):
    """The content of zstd frames; the library's own reader says nothing of a last frame that is cut short."""

    def __init__(self, raw: IO[bytes], decompressor: Any) -> None:
        self._raw, self._decompressor = raw, decompressor
        self._frame: Any = None
        self._given = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._given:
            data = self._frame.unused_data if self._frame is not None and self._frame.eof else b""
            data = data or self._raw.read(1 << 18)
            if not data:
                if self._frame is not None and not self._frame.eof:
                    raise EOFError
                return 0
            if self._frame is None or self._frame.eof:
                self._frame = self._decompressor.decompressobj()
            self._given = self._frame.decompress(data)
        count = min(len(buffer), len(self._given))
        buffer[:count] = self._given[:count]
        self._given = self._given[count:]
        return count


def packed(data: bytes, how: str) -> bytes:
    """Bytes as one member of a compressed file; the same bytes give the same member."""
    if not how or not data:
        return data
    if how == GZIP:
        return gzip.compress(data, mtime=0)
    return bytes(_zstandard("to write it").ZstdCompressor().compress(data))


def library(module: str, purpose: str, extra: str, package: str) -> Any:
    """A module that an optional part needs.

    Args:
        module: its name.
        purpose: what it is needed for, as "to read it".
        extra: the extra that brings it.
        package: what it is called where it is installed from.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise missing_extra(purpose, package, extra) from None


def _zstandard(purpose: str) -> Any:
    return library("zstandard", purpose, "zst", "zstandard")


def damage(error: Exception) -> str:
    """What is wrong with a file that could not be read, or not to its end, in words."""
    if isinstance(error, CleanerError):
        return str(error).removesuffix(".")
    if isinstance(error, EOFError):
        return "it is cut short"
    if isinstance(error, gzip.BadGzipFile | zlib.error) or type(error).__name__ == "ZstdError":
        return f"its compressed data is damaged ({error})"
    return f"it cannot be read: {getattr(error, 'strerror', None) or error}"


def check_beginning(beginning: bytes, kind: Kind) -> None:
    """See whether a file that holds many documents begins as its kind does.

    Raises:
        InputError: if it does not; the message says what it looks like instead.
    """
    start = beginning.removeprefix(_BYTE_ORDER_MARK).lstrip() if kind is Kind.JSONL else beginning
    if not start or start.startswith(_KIND_BEGINS[kind]):
        return
    other = next((other for other, begins in _KIND_BEGINS.items() if start.startswith(begins)), None)
    how = next((how for how, begins in _BEGINS.items() if start.startswith(begins)), None)
    looks = f"it begins like {other}" if other else f"it is {_NAMES[how]} data" if how else "it begins otherwise"
    raise InputError(f"it is not {kind}: {looks}; rename it, or say what it is with --input-format.")


def looks_like_jsonl(beginning: bytes) -> bool:
    """Whether a stream without a name is JSON lines, by how it begins."""
    line = beginning.removeprefix(_BYTE_ORDER_MARK).lstrip().split(b"\n", 1)[0].rstrip()
    return line.startswith(b'{"') and (line.endswith(b"}") or len(line) >= _LOOKED_AT - 8)


def beginning_of(stream: IO[bytes]) -> bytes:
    """The first bytes of a stream, which stays where it is."""
    if peek := getattr(stream, "peek", None):
        return bytes(peek(_LOOKED_AT)[:_LOOKED_AT])
    beginning = stream.read(_LOOKED_AT)
    stream.seek(0)
    return beginning


def name_below(path: Path, folder: Path) -> str:
    """A path below a folder, with "/" on every machine."""
    if is_remote(path):
        return str(path)[len(str(folder)) :].lstrip("/")
    return path.relative_to(folder).as_posix()

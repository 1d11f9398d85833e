"""Counts too many for memory: rows with a key go to disk, sorted into parts by it, and come back part by part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

#: Files that rows are sorted into, by the upper eight bits of their keys.
_FILES = 256


class Spill:
    """Rows on disk; equal keys are in the same part."""

    def __init__(self, folder: Path, dtype: np.dtype[Any]) -> None:
        """Begin.

        Args:
            folder: an empty one, for the files.
            dtype: of the rows; its field "key" is a uint64.
        """
        self._dtype = dtype
        self._paths = [folder / f"{number}.rows" for number in range(_FILES)]
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> Spill:
        self._files = [path.open("wb") for path in self._paths]
        return self

    def __exit__(self, *exception: object) -> None:
        for file in self._files:
            file.close()

    def add(self, rows: NDArray[Any]) -> None:
        """Write rows down."""
        part = (rows["key"] >> np.uint64(56)).astype(np.int64)
        order = np.argsort(part, kind="stable")
        edges = np.searchsorted(part[order], np.arange(_FILES + 1)).tolist()
        rows = rows[order]
        for number, file in enumerate(self._files):
            if edges[number] < edges[number + 1]:
                file.write(rows[edges[number] : edges[number + 1]].tobytes())

    def parts(self) -> Iterator[NDArray[Any]]:
        """The rows of each part in turn, once all are written."""
        for file, path in zip(self._files, self._paths, strict=True):
            file.close()
            yield np.fromfile(path, self._dtype)

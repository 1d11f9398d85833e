"""Where results go: files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from cleaner.errors import OutputError


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file, its folders included, so that nobody ever sees a part of it.

    Raises:
        OutputError: if it cannot be written; what stood at `path` before is still there.
    """
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            path.write_bytes(data)  # a device or a pipe cannot be replaced, only written to
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(data)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error

"""Reading and writing of files that Asterisk, another user, may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def read(path: Path) -> bytes | None:
    """The bytes of a file; None when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def write(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file beside its place, then rename it: a reader sees all of it or nothing. Raises OSError."""
    make_folder(path.parent)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write_new(unfinished, data, mode=mode)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def write_new(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file that is not there yet; ``mode`` holds from the first byte on, whatever the umask. Raises OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)


def make_folder(folder: Path, mode: int = 0o755) -> None:
    """Make a folder, and its missing parents with mode 755, whatever the umask. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    folder.chmod(mode)

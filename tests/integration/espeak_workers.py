"""The workers of one test's engines, told from those of all others by what stands in their environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest


class Workers:
    """Engines that are started while this is in force have their workers here."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._mark = str(folder / "no-libraries").encode()
        monkeypatch.setenv("LD_LIBRARY_PATH", self._mark.decode())
        self._pipes_of_others = _open_pipes()

    def pids(self) -> list[int]:
        """Those that run, wherever on this machine: not one that has ended and was not waited for."""
        return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if self._mark in _environment(folder)]

    def pipes(self) -> set[str]:
        """The pipes that this process has opened since, and has not closed."""
        return _open_pipes() - self._pipes_of_others


def _environment(process: Path) -> bytes:
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        if b"espeak_worker" in (process / "cmdline").read_bytes():
            return (process / "environ").read_bytes()
    return b""


def _open_pipes() -> set[str]:
    return {link for link in _open_files() if link.startswith("pipe:")}


def _open_files() -> Iterator[str]:
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            yield str(descriptor.readlink())

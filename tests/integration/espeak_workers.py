"""Finding the espeak-ng workers of one test's engines, and the pipes to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.own_processes import OwnProcesses


class Workers(OwnProcesses):
    """Engines that are started while this is in force have their workers here."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        mark = str(folder / "no-libraries")
        super().__init__("espeak_ng/worker.py", mark)
        monkeypatch.setenv("LD_LIBRARY_PATH", mark)
        self._pipes_of_others = _open_pipes()

    def pipes(self) -> set[str]:
        """The pipes that this process has opened since, and has not closed."""
        return _open_pipes() - self._pipes_of_others


def _open_pipes() -> set[str]:
    return {link for link in _open_files() if link.startswith("pipe:")}


def _open_files() -> Iterator[str]:
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            yield str(descriptor.readlink())

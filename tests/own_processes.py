"""Finding the processes that one test has started, by a mark in their environment."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


class OwnProcesses:
    """Those of a program in whose environment, or in whose ancestor's, stands a mark of the test's own."""

    def __init__(self, program: str, mark: str) -> None:
        self._program = program.encode()
        self._mark = mark.encode()

    def pids(self) -> list[int]:
        """Those that run: not one that has ended and was not waited for."""
        return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if self._is_one(folder)]

    def kill(self, most: int | None = None) -> int:
        """End the first ``most`` of them, or all; returns how many were still there to be ended."""
        return sum(sent(pid, signal.SIGKILL) for pid in self.pids()[:most])

    def _is_one(self, process: Path) -> bool:
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            command, environment = [(process / name).read_bytes() for name in ("cmdline", "environ")]
            return self._program in command and self._mark in environment
        return False


def sent(pid: int, number: signal.Signals) -> bool:
    """Send a signal to a process; False when it has just ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True

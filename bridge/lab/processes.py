"""Background processes that outlive the command that started them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLL_SECONDS = 0.02
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Process:
    """A process by its number and its birth, so that a later process of the same number is not mistaken for it."""

    pid: int
    born: str

    @property
    def alive(self) -> bool:
        state, born = _state_and_birth(self.pid)
        if born != self.born:
            return False
        if state == "Z":
            _reap(self.pid)
        return state not in ("Z", "X")


def start(command: Sequence[str], environment: Mapping[str, str], log: Path, keep_open: int | None) -> Process:
    """Start a process in its own session, its output appended to ``log``; it inherits the descriptor ``keep_open``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if keep_open is not None:
        os.set_inheritable(keep_open, True)
    pid = os.posix_spawnp(
        command[0],
        list(command),
        dict(environment),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigmask=(),
    )
    return Process(pid, _state_and_birth(pid)[1])


def stop(process: Process, patience: float) -> None:
    """Ask a process to end (SIGTERM), and kill it after ``patience`` seconds."""
    if not process.alive:
        return
    os.kill(process.pid, signal.SIGTERM)
    if not until(lambda: not process.alive, patience) and process.alive:
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not process.alive, patience)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back SIGINT, SIGTERM and SIGHUP until the ``with`` block is over."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; False when the time is over first."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _state_and_birth(pid: int) -> tuple[str, str]:
    """A process's state, X when it is gone, and what tells it from all others that had its number (proc(5))."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "X", ""
    return state, f"{BOOT.read_text().strip()} {fields[18]}"


def _reap(pid: int) -> None:
    """A child of ours that ended stays in the process table until it is waited for."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return

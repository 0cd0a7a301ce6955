"""Long commands run side by side: progress is shown, and an interrupt ends every one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import BinaryIO

SHOW_PROGRESS_EVERY = 5.0
LAST_LINES = 20


class StepFailed(Exception):
    """A command of a step ended with an error; the message holds the end of its output."""


class Steps:
    """Runs commands, all their output in one log file."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._running: set[subprocess.Popen[bytes]] = set()
        self._interrupted = False
        self._starting = Lock()
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")

    def together(self, steps: Mapping[str, Callable[[], None]]) -> None:
        """Run the steps at the same time; ``KeyboardInterrupt`` or the first failure ends them all."""
        began = time.monotonic()
        with ThreadPoolExecutor(max_workers=len(steps)) as threads:
            pending = {threads.submit(step): title for title, step in steps.items()}
            print(f"{' and '.join(steps)} ...", flush=True)
            try:
                while pending:
                    done, _ = wait(pending, timeout=SHOW_PROGRESS_EVERY, return_when=FIRST_COMPLETED)
                    self._show(pending, done, time.monotonic() - began)
            except BaseException:
                self._end_all()
                raise

    def _show(self, pending: dict[Future[None], str], done: set[Future[None]], seconds: float) -> None:
        for step in done:
            step.result()
            print(f"  {pending.pop(step)}: done after {seconds:.0f} s", flush=True)
        if not done:
            print(f"  {seconds:.0f} s: {' and '.join(pending.values())}", flush=True)

    def call(self, *command: str, folder: Path | None = None) -> None:
        """Run a command to its end. Raises ``StepFailed``."""
        with self._log.open("ab") as log:
            log.write(f"$ {' '.join(command)}\n".encode())
            log.flush()
            start = log.tell()
            process = self._begin(command, folder, log)
            try:
                status = process.wait()
            finally:
                self._running.discard(process)
        if status:
            raise StepFailed(f"`{' '.join(command)}` failed ({status}):\n{self._tail(start)}")

    def _begin(self, command: tuple[str, ...], folder: Path | None, log: BinaryIO) -> subprocess.Popen[bytes]:
        with self._starting:  # so that no command is missed when all are ended
            if self._interrupted:
                raise StepFailed("interrupted")
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
            return process

    def _tail(self, start: int) -> str:
        output = self._log.read_bytes()[start:].decode(errors="replace")
        return "\n".join(output.splitlines()[-LAST_LINES:])

    def _end_all(self) -> None:
        with self._starting:
            self._interrupted = True
            running = list(self._running)
        for process in running:
            with suppress(ProcessLookupError):
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """apt-get is asked alone and waited for: it finishes a package that it is unpacking. Others end at once."""
    if Path(str(process.args[0])).name == "apt-get":  # type: ignore[index]
        process.send_signal(signal.SIGINT)
    else:
        os.killpg(process.pid, signal.SIGTERM)

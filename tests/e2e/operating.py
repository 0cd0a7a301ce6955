"""What an operator does to the daemon of a lab."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.running_lab import RunningLab, until_is


def daemon_of(own: RunningLab) -> int:
    """The daemon's process."""
    return int(own.lab.environment()["VOICEBRIDGE_PID"])


def settings_of(own: RunningLab) -> dict[str, str]:
    """The environment that the daemon, which runs, was started with."""
    variables = Path(f"/proc/{daemon_of(own)}/environ").read_text().split("\0")
    return dict(variable.split("=", 1) for variable in variables if variable)


def ask_to_stop(own: RunningLab) -> int:
    """What `systemctl stop` does; returns the process that is to end."""
    pid = daemon_of(own)
    os.kill(pid, signal.SIGTERM)
    return pid


async def ended(pid: int) -> int:
    """With which status the process ended."""

    async def waited_for() -> tuple[int, int] | None:
        found = await asyncio.to_thread(os.waitpid, pid, os.WNOHANG)
        return found if found[0] else None

    return os.waitstatus_to_exitcode((await until_is(waited_for, 60))[1])


async def voicebridge(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command, and return what it says."""
    command = [str(Path(sys.executable).with_name("voicebridge")), *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=90, check=False
    )

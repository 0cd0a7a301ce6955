"""Child processes: programs that the daemon starts, none of which outlives the task that wanted it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from subprocess import DEVNULL, PIPE


@asynccontextmanager
async def child(
    *command: str, env: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a program whose output is read, and which has no input; at the end of the block it has ended.

    ``env`` is its whole environment; None gives it ours. Raises OSError when it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env=env, pass_fds=pass_fds
    )
    try:
        yield process
    finally:
        await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill it, and wait until it is gone and its pipes are closed. Nobody else may be reading its output then.

    It is killed even when the wait is cancelled.
    """
    kill(process)
    await asyncio.shield(process.communicate())


def kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):  # it has ended this moment
            process.kill()

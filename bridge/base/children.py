"""Programs that the daemon starts: none of them outlives the one who wanted it, however that one ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from subprocess import DEVNULL, PIPE


@asynccontextmanager
async def child(
    *command: str, env: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program whose output is read, with nothing to read itself. At the end of the block it has ended.

    ``env`` is all that it sees of an environment; ours, when it is None. Raises OSError when it cannot be started.
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

    Whoever stops waiting has killed it all the same.
    """
    kill(process)
    await asyncio.shield(process.communicate())


def kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):  # it has ended this moment
            process.kill()

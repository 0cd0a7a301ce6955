"""A daemon with two Asterisks, of which one is killed and comes back."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientConnectorError, ClientSession

from bridge.messages.attempt import Attempt
from bridge.messages.progress import State
from bridge.store import Store
from tests.integration.conftest import until
from tests.integration.dialer_node import telephones_of, until_true
from tests.ports import free_port

if TYPE_CHECKING:
    from bridge.asterisk.configuration import AsteriskSettings
    from bridge.lab.programs import Program
    from tests.integration.conftest import RunAsterisk, RunningAsterisk, Telephones

LISTENS, BUSY, NEVER_ANSWERED = "99900", "99901", "99902"
ANSWERED, NO_ANSWER, UNKNOWN = (5, 5000), (15, 5003), (22, 5500)
RING_TIMEOUT = 15
SETTINGS = {"API_KEY": "a-key-of-this-test", "NODE": "here", "TRUNK_CALLS_PER_SECOND": "20"}


@dataclass(frozen=True)
class Daemon:
    """One that serves: what an application says to it, and what its database knows. A number is its message's id."""

    api: ClientSession
    store: Store
    log: Path

    async def has_lost_a_link(self) -> bool:
        return "ami_link_lost" in self.log.read_text()

    async def send(self, *numbers: str) -> None:
        message = {
            "destinations": [{"to": number, "messageId": number} for number in numbers],
            "text": "This is said while one of two Asterisks dies. " * 5,
            "ringTimeout": RING_TIMEOUT,
        }
        async with self.api.post("/tts/3/advanced", json={"messages": [message]}) as response:
            assert response.status == HTTPStatus.OK, await response.text()

    async def until_all(self, numbers: Sequence[str], state: State, seconds: float = 60) -> None:
        """Wait until the messages to all these are in that state."""

        async def are_there() -> bool:
            found = [await self.store.messages.progress("default", number) for number in numbers]
            return all(progress is not None and progress.state == state for progress in found)

        await until_true(are_there, seconds)

    async def attempts(self, numbers: Sequence[str]) -> dict[str, Attempt]:
        """The only attempt to reach each."""
        found = {}
        for number in numbers:
            (found[number],) = await self.store.messages.attempts("default", number)
        return found

    async def shares(self, numbers: Sequence[str]) -> Counter[str]:
        """How many of the calls each Asterisk was given."""
        return Counter(attempt.asterisk for attempt in (await self.attempts(numbers)).values())


@pytest.fixture
def serve(tmp_path: Path) -> Callable[[str], AbstractAsyncContextManager[Daemon]]:
    """Runs the daemon on the Asterisks of these addresses."""

    @asynccontextmanager
    async def serve(ami_url: str) -> AsyncIterator[Daemon]:
        port, database_url = free_port(socket.SOCK_STREAM), f"sqlite:///{tmp_path / 'test.db'}"
        settings = SETTINGS | {
            "PORT": str(port),
            "DATA_DIR": str(tmp_path / "data"),
            "DATABASE_URL": database_url,
            "AMI_URL": ami_url,
        }
        with (tmp_path / "daemon.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                str(Path(sys.executable).with_name("voicebridge")),
                "serve",
                env=os.environ | {f"VOICEBRIDGE_{name}": value for name, value in settings.items()},
                stderr=log,
            )
        url, key = f"http://127.0.0.1:{port}", SETTINGS["API_KEY"]
        try:
            async with ClientSession(url, headers={"Authorization": f"App {key}"}) as api:
                await until_true(lambda: is_ready(api), seconds=60)
                store = Store(database_url)
                yield Daemon(api, store, Path(log.name))
                await store.close()
        finally:
            process.terminate()
            assert await process.wait() == 0

    return serve


async def is_ready(api: ClientSession) -> bool:
    try:
        async with api.get("/readyz") as response:
            return response.status == HTTPStatus.OK
    except ClientConnectorError:
        return False


@pytest.fixture
def run_mortal(
    new_settings: AsteriskSettings, run_asterisk: RunAsterisk
) -> Callable[[], AbstractContextManager[RunningAsterisk]]:
    """Runs the Asterisk that may be killed, each time with the same settings."""
    return partial(run_asterisk, new_settings)


@pytest.fixture
def hang_up(telephones: Telephones, program: Program) -> Callable[[], object]:
    """Ends what telephones still hold of calls whose caller is gone."""
    command = [*program.command, "-C", str(telephones.carrier.configuration), "-rx", "channel request hangup all"]
    return lambda: subprocess.run(command, stdout=subprocess.DEVNULL, timeout=20, check=True)


async def test_calls_are_shared_and_when_one_dies_the_other_goes_on_alone(
    serve: Callable[[str], AbstractAsyncContextManager[Daemon]],
    asterisk: RunningAsterisk,
    run_mortal: Callable[[], AbstractContextManager[RunningAsterisk]],
    telephones: Telephones,
    hang_up: Callable[[], object],
) -> None:
    talk, ring, meanwhile = telephones_of(LISTENS, 10), telephones_of(NEVER_ANSWERED, 10), telephones_of(BUSY, 10)
    afterwards = telephones_of(LISTENS, 10)
    with run_mortal() as mortal:
        mortal.wait_for_console("pjsip show contacts", "Avail")
        lasting, dying = name_of(asterisk), name_of(mortal)
        async with serve(f"{asterisk.url}, {mortal.url}") as daemon:
            await daemon.send(*ring, *talk)
            await daemon.until_all(talk, State.IN_PROGRESS)
            await daemon.until_all(ring, State.RINGING)
            shares = await daemon.shares([*ring, *talk])
            assert min(shares[lasting], shares[dying]) >= 4

            mortal.kill()
            await until_true(daemon.has_lost_a_link)
            await daemon.send(*meanwhile)
            await daemon.until_all(meanwhile, State.DONE)
            assert await daemon.shares(meanwhile) == {lasting: 10}

            with run_mortal() as back:
                await asyncio.to_thread(back.wait_for_console, "pjsip show contacts", "Avail")
                await daemon.until_all([*ring, *talk], State.DONE)
                for number, attempt in (await daemon.attempts([*ring, *talk])).items():
                    rang_in_vain = NO_ANSWER if attempt.asterisk == lasting else UNKNOWN
                    assert (attempt.status_id, attempt.error_id) == (ANSWERED if number in talk else rang_in_vain)
                await daemon.send(*afterwards)
                await daemon.until_all(afterwards, State.DONE)
                assert set(await daemon.shares(afterwards)) == {lasting, dying}
    await asyncio.to_thread(hang_up)
    everybody = [*talk, *ring, *meanwhile, *afterwards]
    await asyncio.to_thread(until, lambda: all(telephones.calls(number) for number in everybody))
    assert [len(telephones.calls(number)) for number in everybody] == [1] * len(everybody)


def name_of(asterisk: RunningAsterisk) -> str:
    return f"127.0.0.1:{asterisk.settings.manager.port}"

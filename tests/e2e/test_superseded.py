"""A machine stands still until another one has taken its name: its calls go on, and it makes no more."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession

from bridge.lab.lab import Lab, LabFailed
from bridge.messages.progress import State
from tests.chaos.book import Book, read_book
from tests.e2e.interactive import Sounds, one_zero
from tests.e2e.operating import daemon_of, ended
from tests.e2e.running_lab import RunningLab, running_lab, until_is
from tests.e2e.test_bulk_canceled import standing
from tests.e2e.test_calls import reports
from tests.e2e.test_keys import BYE, menu
from tests.e2e.test_restore import only_once
from tests.postgres import Postgres, running_postgres

OLD, NEW = "41790000001", "41790000002"
"""Whom a telephone sees calling."""

TALKS = "9990090"
LONG = "This is a long text that is still being said when the machine stands still. " * 6
MANY = {f"many-{n}": f"99900{n:03}" for n in range(60)}


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with running_postgres() as postgres:
        yield postgres


@pytest.fixture
def shared(postgres: Postgres) -> dict[str, str]:
    """Settings of both machines."""
    return {
        "VOICEBRIDGE_DATABASE_URL": postgres.new_database(),
        "VOICEBRIDGE_NODE": "the-only-one",
        "VOICEBRIDGE_TRUNK_CALLS_PER_SECOND": "10",
        "VOICEBRIDGE_DRAIN_SECONDS": "20",
    }


@pytest.fixture
def old(
    lab_settings_only: None, shared: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningLab]:
    """The machine that is to stand still; all telephones are behind its carrier."""
    with running_lab(tmp_path_factory.mktemp("old"), shared | {"VOICEBRIDGE_CALLER_ID": OLD}) as lab:
        yield lab


@pytest.fixture
def new(old: RunningLab, shared: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """Another machine of that name, not started yet."""
    own = {"VOICEBRIDGE_CALLER_ID": NEW, "VOICEBRIDGE_TRUNK_URI": f"sip:127.0.0.1:{old.ports.carrier_sip}"}
    lab = Lab(tmp_path_factory.mktemp("new"), shared | own)
    yield RunningLab(lab)
    lab.down()


async def start_again_and_again(new: RunningLab) -> None:
    """As a service manager does, until the lease of the old machine is over."""

    async def refusal() -> str | None:
        try:
            await asyncio.to_thread(new.lab.up)
        except LabFailed as error:
            return str(error)
        return None

    async def starts() -> bool:
        reason = await refusal()
        assert reason is None or "NODE_NAME_TAKEN" in reason
        return reason is None

    await until_is(starts, 120)


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    """The process does nothing, and does not know."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def send(api: ClientSession, numbers: Mapping[str, str], text: str, **members: Any) -> None:
    """One message to each of the numbers, which are by the message's id."""
    destinations = [{"to": number, "messageId": name} for name, number in numbers.items()]
    message = {"destinations": destinations, "text": text, **members}
    async with api.post("/tts/3/advanced", json={"messages": [message]}) as response:
        assert response.status == 200, await response.text()


def over(book: Book) -> set[str]:
    return {name for name, message in book.messages.items() if message.state == State.DONE}


def begun(book: Book) -> set[str]:
    """Messages of which an attempt is open."""
    return {name for name, attempts in book.attempts.items() if any(not attempt.ended_at for attempt in attempts)}


async def test_the_old_daemon_sees_its_calls_to_their_end_and_makes_no_more(
    old: RunningLab, new: RunningLab, shared: dict[str, str]
) -> None:
    everything = {"talks": TALKS, **MANY}

    def book() -> Book:
        return read_book(shared["VOICEBRIDGE_DATABASE_URL"], everything)

    def nothing_waits() -> bool:
        now = book()
        return over(now) | begun(now) == everything.keys()

    daemon = daemon_of(old)
    async with ClientSession(old.url, headers=old.headers) as api:
        farewell = await Sounds(old, api).of(BYE)
        assert len(await reports(api)) == 1
        await send(api, {"talks": TALKS}, LONG, **menu({"1": ["hangup"]}, noDtmf=[{"say": BYE}, "hangup"]))
        await standing(api, "talks", "in-progress")
        await send(api, MANY, "Good morning.")
        await old.until(lambda: bool(over(book())))

    with standing_still(daemon):
        left = begun(book())
        await start_again_and_again(new)
        await old.until(nothing_waits, 60)
        thawed_at = datetime.now(UTC)
    assert await ended(daemon) == 3
    assert old.lab.log("voicebridge").read_text().splitlines()[-1].startswith("SUPERSEDED: ")

    await old.until(lambda: over(book()) == everything.keys())
    async with ClientSession(new.url, headers=new.headers) as api:
        told = await only_once(api)
    assert {report["messageId"]: report["error"]["id"] for report in told} == dict.fromkeys(everything, 5000)
    assert {len(attempts) for attempts in book().attempts.values()} == {1}

    await old.until(lambda: all(old.calls(number) for number in everything.values()))
    calls = [call for number in everything.values() for call in old.calls(number)]
    assert len(calls) == len(everything)
    assert {call.caller_id for call in calls} == {OLD, NEW}
    assert max(call.started for call in calls if call.caller_id == OLD) < thawed_at

    assert "talks" in left
    (talked,) = old.calls(TALKS)
    assert talked.ended > thawed_at
    assert one_zero(await old.heard(TALKS)).endswith(farewell)

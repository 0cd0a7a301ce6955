"""A backup that is taken while calls are made, and restored after more calls, as docs/how-to/backup.md says."""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from bridge.lab.lab import Lab
from bridge.messages.progress import State
from bridge.reports.members import wire_time
from tests.chaos.book import Book, read_book
from tests.e2e.operating import ask_to_stop, ended, settings_of, voicebridge
from tests.e2e.running_lab import RunningLab, until_is
from tests.e2e.test_bulk_canceled import standing
from tests.e2e.test_calls import reports
from tests.postgres import running_postgres

CALLS_PER_SECOND = 5
MANY = [f"many-{n}" for n in range(30)]


@dataclass(frozen=True)
class Database:
    """What an operator does with a database. ``digit`` makes telephones of its own."""

    own: RunningLab
    url: str
    digit: int

    async def back_up(self, copy: Path) -> None:
        if self.url.startswith("sqlite"):
            await run("sqlite3", self.url.removeprefix("sqlite:///"), f"VACUUM INTO '{copy}'")
        else:
            await run("pg_dump", "--format=custom", f"--file={copy}", self.url)

    async def restore(self, copy: Path) -> None:
        if self.url.startswith("sqlite"):
            file = self.url.removeprefix("sqlite:///")
            await run("cp", str(copy), file)
            await run("rm", "-f", f"{file}-wal", f"{file}-shm")
        else:
            await run("pg_restore", "--clean", "--if-exists", f"--dbname={self.url}", str(copy))


async def run(*command: str) -> None:
    await asyncio.to_thread(subprocess.run, command, timeout=60, check=True)


@pytest.fixture(scope="module")
def folder(lab_settings_only: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A lab's, which is down in the end."""
    folder = tmp_path_factory.mktemp("restored")
    yield folder
    Lab(folder).down()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Database]:
    """That of a lab which runs."""
    digit = ("sqlite", "postgresql").index(request.param)
    settings = {"VOICEBRIDGE_TRUNK_CALLS_PER_SECOND": str(CALLS_PER_SECOND)}
    with ExitStack() as running:
        if request.param == "postgresql":
            settings["VOICEBRIDGE_DATABASE_URL"] = running.enter_context(running_postgres()).empty_database()
        own = RunningLab(Lab(folder, settings))
        own.lab.up()
        yield Database(own, own.lab.environment()["VOICEBRIDGE_DATABASE_URL"], digit)
        assert await ended(ask_to_stop(own)) == 0


async def say(api: ClientSession, name: str, number: str, **members: Any) -> None:
    message = {"destinations": [{"to": number, "messageId": name}], "text": "Good morning.", **members}
    async with api.post("/tts/3/advanced", json={"bulkId": name, "messages": [message]}) as response:
        assert response.status == 200, await response.text()


def calls_of(own: RunningLab, numbers: Mapping[str, str]) -> dict[str, int]:
    """How often the telephone of each message was called."""
    calls = Counter(call.number for call in own.lab.phone_calls())
    return {name: calls[number] for name, number in numbers.items()}


def under_way(book: Book) -> set[str]:
    return {name for name, attempts in book.attempts.items() if any(attempt.ended_at is None for attempt in attempts)}


async def one_talks(api: ClientSession) -> bool:
    for name in MANY:
        async with api.get(f"/voice/1/calls/{name}") as response:
            if (await response.json())["state"] == "in-progress":
                return True
    return False


async def test_nobody_is_called_twice_and_each_message_is_reported_once(database: Database, tmp_path: Path) -> None:
    own, copy = database.own, tmp_path / "backup"
    numbers = {
        name: f"{kind}{database.digit}{n:02}"
        for n, (name, kind) in enumerate(
            {
                "fetched": "99900",
                "kept": "99900",
                "busy": "99901",
                "soon": "99900",
                "next-week": "99900",
                "after": "99900",
                **dict.fromkeys(MANY, "99900"),
            }.items()
        )
    }
    async with ClientSession(own.url, headers=own.headers) as api:
        now = datetime.now(UTC)
        await say(api, "busy", numbers["busy"], retry={"minPeriod": 1, "maxPeriod": 1, "maxCount": 4})
        await say(api, "soon", numbers["soon"], sendAt=wire_time(now + timedelta(seconds=12)))
        await say(api, "next-week", numbers["next-week"], sendAt=wire_time(now + timedelta(days=7)))
        for name in ("fetched", "kept", *MANY):
            await say(api, name, numbers[name])
        await standing(api, "fetched", "done")
        await standing(api, "kept", "done")
        assert len(await reports(api, messageId="fetched")) == 1
        await until_is(lambda: one_talks(api))
        await database.back_up(copy)

        await say(api, "after", numbers["after"])
        moved = {"sendAt": wire_time(datetime.now(UTC))}
        async with api.put("/tts/3/bulks", params={"bulkId": "next-week"}, json=moved) as response:
            assert response.status == 200, await response.text()
        for name in numbers.keys() - {"busy"}:
            await standing(api, name, "done")
        assert len(await reports(api, messageId=MANY[-1])) == 1
    environment = settings_of(own)
    assert await ended(ask_to_stop(own)) == 0
    assert calls_of(own, numbers) == dict.fromkeys(numbers, 1)

    await database.restore(copy)
    before = read_book(database.url, numbers)
    told = await voicebridge(environment, "after-restore")
    assert own.lab.up() == ["voicebridge"]

    over = {name for name, message in before.messages.items() if message.state == State.DONE}
    talked = under_way(before)
    unknown = before.messages.keys() - over - talked
    assert talked
    assert {"busy", "soon", "next-week", MANY[-1]} <= unknown
    assert told.stdout == f"{len(talked)} messages ended as they did, {len(unknown)} with an unknown result\n"
    async with ClientSession(own.url, headers=own.headers) as api:
        statuses = {report["messageId"]: report["error"]["id"] for report in await only_once(api)}
        async with api.get("/voice/1/calls/after") as response:
            assert response.status == 404
        await say(api, "new", f"99900{database.digit}99")
        await standing(api, "new", "done")
    assert statuses == dict.fromkeys((over - {"fetched"}) | talked, 5000) | dict.fromkeys(unknown, 5500)
    book = read_book(database.url, numbers)
    assert {message.state for message in book.messages.values()} == {State.DONE}
    assert not under_way(book)
    assert calls_of(own, numbers) == dict.fromkeys(numbers, 1)


async def only_once(api: ClientSession) -> list[dict[str, Any]]:
    """All reports that there are, of which no two are of the same message."""
    found: list[dict[str, Any]] = []
    while some := await reports(api):
        found += some
    assert len({report["messageId"] for report in found}) == len(found)
    return found

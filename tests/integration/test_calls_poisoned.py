"""One attempt cannot be read or carried out: it alone is settled as unknown, and the calls beside it go on."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from bridge.messages.message import Content
from bridge.messages.progress import State
from tests.integration.attempt_desk import LONG_AGO, Desk, Process, eventually, progress_of
from tests.poison import BODIES, SCRIPTS, TOO_LONG, poison_attempt, poison_content

if TYPE_CHECKING:
    from tests.integration.conftest import RunningAsterisk, Telephones

POISONS = [BODIES["a member of a newer version"], SCRIPTS["a verb of a newer version"]]
LONG = Content(text="This is said for quite a while, so that nobody is done before its time.")
UNKNOWN = (22, 5500)
DELIVERED = (5, 5000)


def own(prefix: str) -> str:
    """A telephone that no other test calls."""
    return prefix + str(secrets.randbelow(10**6)).zfill(6)


@pytest.fixture
async def desk(asterisk: RunningAsterisk, database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk([asterisk.url], database_url, tmp_path)
    yield desk
    await desk.processes[-1].die()


async def ends_of(process: Process, *numbers: str) -> list[tuple[int, int]]:
    """How the messages ended, each with one report, once all have."""

    async def are_done() -> bool:
        return all([(await progress_of(process, number)).state is State.DONE for number in numbers])

    await eventually(are_done)
    reports = {report.message.id: report for report in await process.store.reports.take("acme")}
    assert set(reports) == set(numbers)
    return [(reports[number].status_id, reports[number].error_id) for number in numbers]


async def until_they_talk(process: Process, *numbers: str) -> None:
    async def they_do() -> bool:
        return all([(await progress_of(process, number)).state is State.IN_PROGRESS for number in numbers])

    await eventually(they_do)


async def killed_while_both_talk(desk: Desk, content: Content = LONG) -> tuple[str, str]:
    """The numbers of two calls that talk when their process dies."""
    bad, good = own("99900"), own("99900")
    first = await desk.start(recovers=False)
    for number in (bad, good):
        first.run(await desk.claimed(first, number, content))
    await until_they_talk(first, bad, good)
    await first.die()
    return bad, good


@pytest.mark.parametrize("body", POISONS)
async def test_of_two_calls_that_talk_when_their_process_dies_the_healthy_one_goes_on(
    desk: Desk, telephones: Telephones, body: str
) -> None:
    bad, good = await killed_while_both_talk(desk)
    second = await desk.start(recovers=False)
    poison_content(second.store, bad, body)
    second.recovery.start()
    assert await ends_of(second, bad, good) == [UNKNOWN, DELIVERED]
    await asyncio.gather(telephones.only_call(bad), telephones.only_call(good))
    assert await second.store.calls.open_of("here") == []


@pytest.mark.parametrize("column", ["happened", "refused", "spoken"])
async def test_what_is_kept_of_a_call_cannot_be_read(desk: Desk, telephones: Telephones, column: str) -> None:
    bad, good = await killed_while_both_talk(desk)
    second = await desk.start(recovers=False)
    poison_attempt(second.store, bad, column, TOO_LONG)
    second.recovery.start()
    assert (await ends_of(second, bad, good))[1] == DELIVERED
    await asyncio.gather(telephones.only_call(bad), telephones.only_call(good))


@pytest.mark.parametrize("body", POISONS)
async def test_of_two_calls_that_ended_unseen_the_healthy_one_is_settled_as_it_was(
    desk: Desk, telephones: Telephones, body: str
) -> None:
    bad, good = await killed_while_both_talk(desk, replace(LONG, call_timeout=2))
    await asyncio.gather(telephones.only_call(bad), telephones.only_call(good))
    second = await desk.start(recovers=False)
    poison_content(second.store, bad, body)
    second.recovery.start()
    assert await ends_of(second, bad, good) == [UNKNOWN, DELIVERED]


@pytest.mark.parametrize("body", [*BODIES.values(), *SCRIPTS.values()], ids=[*BODIES, *SCRIPTS])
async def test_what_cannot_be_carried_out_is_not_dialled(desk: Desk, telephones: Telephones, body: str) -> None:
    bad, good = own("99900"), own("99900")
    process = await desk.start()
    await desk.accepted(process, bad, Content(text="Hello"))
    poison_content(process.store, bad, body)
    with capture_logs() as logs:
        process.run(await desk.claim(process, bad))
        process.run(await desk.claimed(process, good, Content(text="Hello")))
        assert await ends_of(process, bad, good) == [UNKNOWN, DELIVERED]
    assert [line["log_level"] for line in logs if line["event"] == "attempt_failed"] == ["error"]
    await telephones.only_call(good)
    assert telephones.calls(bad) == []


async def test_poisoned_attempts_of_a_node_that_is_gone_are_settled_too(desk: Desk) -> None:
    bad, good = own("99900"), own("99900")
    process = await desk.start(recovers=False)
    for number in (bad, good):
        await desk.claimed(process, number, Content(text="Hello"), node="gone", ago=360 * LONG_AGO)
    poison_content(process.store, bad, SCRIPTS["a verb of a newer version"])
    process.recovery.start()
    assert await ends_of(process, bad, good) == [UNKNOWN, UNKNOWN]

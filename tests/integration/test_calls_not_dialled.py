"""Between the claim of a message and its Originate: what must not be dialled is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.messages.message import Content, DeliveryTimeWindow
from bridge.messages.progress import State
from tests.integration.attempt_desk import Desk, Process, progress_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import RunningAsterisk, Telephones

DAY = timedelta(days=1)


@pytest.fixture
async def desk(asterisk: RunningAsterisk, tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk([asterisk.url], f"sqlite:///{tmp_path / 'test.db'}", tmp_path)
    yield desk
    for process in desk.processes:
        await process.close()


@pytest.fixture
async def process(desk: Desk) -> Process:
    return await desk.start(recovers=False)


async def test_a_window_that_closes_after_the_claim_gives_the_message_back(
    desk: Desk, process: Process, telephones: Telephones
) -> None:
    tomorrow = datetime.now(UTC) + DAY
    content = Content(text="Hello", window=DeliveryTimeWindow(frozenset({tomorrow.weekday()})))
    claim = await desk.claimed(process, "9990901", content, ago=-DAY)
    await process.runner.run(replace(claim, starts_at=datetime.now(UTC)))
    progress = await progress_of(process, "9990901")
    assert (progress.state, progress.attempts) == (State.QUEUED, 0)
    assert await process.store.messages.attempts("acme", "9990901") == []
    assert telephones.calls("9990901") == []


async def test_an_attempt_that_is_canceled_before_originate_is_never_dialled(
    desk: Desk, process: Process, telephones: Telephones
) -> None:
    claim = await desk.claimed(process, "9990902", Content(text="Hello"))
    await process.store.bulks.cancel("acme", "9990902")
    canceled = await process.store.calls.canceled("here")
    assert canceled == [claim.attempt.id]
    await process.runner.cancel(canceled)
    await process.runner.run(claim)
    progress = await progress_of(process, "9990902")
    assert (progress.state, progress.status_id, progress.error_id) == (State.DONE, 9, 5487)
    assert len(await process.store.reports.take("acme")) == 1
    assert telephones.calls("9990902") == []


async def test_what_is_claimed_when_the_node_stops_is_given_back(
    desk: Desk, process: Process, telephones: Telephones
) -> None:
    claim = await desk.claimed(process, "9990904", Content(text="Hello"))
    process.runner.dial_no_more()
    await process.runner.run(claim)
    progress = await progress_of(process, "9990904")
    assert (progress.state, progress.attempts) == (State.QUEUED, 0)
    assert telephones.calls("9990904") == []


async def test_a_call_to_be_recorded_that_another_process_gave_back_is_let_go(
    desk: Desk, process: Process, telephones: Telephones
) -> None:
    claim = await desk.claimed(process, "9990905", Content(text="Hello", record=True))
    assert await process.store.calls.release(claim.key, claim.attempt.id)
    async with asyncio.timeout(30):
        await process.runner.run(claim)
    progress = await progress_of(process, "9990905")
    assert (progress.state, progress.attempts) == (State.QUEUED, 0)
    assert telephones.calls("9990905") == []


async def test_one_that_may_be_dialled_is(desk: Desk, process: Process, telephones: Telephones) -> None:
    claim = await desk.claimed(process, "9990903", Content(text="Hello"))
    await process.runner.run(claim)
    assert (await progress_of(process, "9990903")).status_id == 5
    await telephones.only_call("9990903")

"""Parts that must live: started again when they die, shown while they are down, given up when they cannot live.

And work that nobody waits for: what it fails with is told.
"""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bridge.base import tasks
from bridge.base.backoff import Waits
from bridge.base.tasks import Background, Part, PartCannotLive, Supervisor


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "RESTS", Waits(first=0.02, longest=0.05, jitter=0.5))


class Work:
    """Fails so often, then lives; tells when it has been begun so often."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)
        self.begun = 0
        self.problems: list[str | None] = []
        self._changed = asyncio.Condition()

    async def run(self) -> None:
        async with self._changed:
            self.begun += 1
            self._changed.notify_all()
        if self.failures:
            raise self.failures.pop(0)
        await asyncio.Event().wait()

    async def begins(self, times: int) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: self.begun >= times)


def nobody_dies(error: PartCannotLive) -> None:
    raise AssertionError(error)


async def test_what_dies_is_begun_again_and_shown_while_it_is_down_and_the_others_go_on() -> None:
    supervisor = Supervisor(on_dead=nobody_dies)
    ill, well = Work(OSError(13, "hostile"), ValueError("hostile")), Work()
    with capture_logs() as logs:
        supervisor.keep("well", well.run)
        supervisor.keep("ill", ill.run)
        await ill.begins(1)
        assert supervisor.problem == "ill: failed 1 times (PermissionError), see the log"
        await ill.begins(2)
        assert supervisor.problem == "ill: failed 2 times (ValueError), see the log"
        await ill.begins(3)
        assert supervisor.problem is None
    assert [(line["part"], line["times"]) for line in logs] == [("ill", 1), ("ill", 2)]
    assert well.begun == 1
    await supervisor.stop()


async def test_a_cancellation_from_elsewhere_does_not_end_a_part() -> None:
    supervisor = Supervisor(on_dead=nobody_dies)
    work = Work(asyncio.CancelledError())
    supervisor.keep("cancelled", work.run)
    await work.begins(2)
    await supervisor.stop()
    assert work.begun == 2


async def test_a_part_that_cannot_live_is_told_of_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "CANNOT_LIVE_SECONDS", 0.05)
    told: asyncio.Queue[PartCannotLive] = asyncio.Queue()
    supervisor = Supervisor(on_dead=told.put_nowait)
    work = Work(*(OSError() for _ in range(1000)))
    supervisor.keep("ill", work.run)
    async with asyncio.timeout(20):
        dead = await told.get()
    assert work.begun > 1
    assert str(dead).startswith("ill failed ")
    assert (dead.id, dead.exit_status) == ("PART_CANNOT_LIVE", 4)
    await supervisor.stop()


async def test_troubles_with_a_good_while_between_them_are_none_of_one_that_cannot_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "LIVES_SECONDS", 0.0)
    monkeypatch.setattr(tasks, "CANNOT_LIVE_SECONDS", 0.0001)
    part = Part("flaky", on_dead=nobody_dies)
    for _ in range(5):
        part.died(OSError())
        assert part.problem == "failed 1 times (OSError), see the log"
        part.lives()


async def test_rests_grow_and_differ() -> None:
    rests = [Part("one", on_dead=nobody_dies).died(OSError()) for _ in range(20)]
    assert len(set(rests)) > 1
    assert all(0.01 <= rest <= 0.02 for rest in rests)
    part = Part("again", on_dead=nobody_dies)
    assert max(part.died(OSError()) for _ in range(10)) <= 0.05


async def test_stopping_ends_what_runs_and_what_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "RESTS", Waits(first=1000.0, longest=1000.0))
    supervisor = Supervisor(on_dead=nobody_dies)
    resting, running = Work(OSError()), Work()
    supervisor.keep("resting", resting.run)
    supervisor.keep("running", running.run)
    await resting.begins(1)
    await running.begins(1)
    async with asyncio.timeout(20):
        await supervisor.stop()
    await Supervisor(on_dead=nobody_dies).stop()


async def test_work_in_the_background_that_fails_is_logged_and_ends_alone() -> None:
    over = 0

    def count() -> None:
        nonlocal over
        over += 1

    background, well = Background("tried_in_vain", on_over=count, asterisk="here"), Work()
    with capture_logs() as logs:
        background.begin(Work(ValueError("hostile")).run())
        background.begin(well.run())
        await well.begins(1)
    assert [(line["event"], line["asterisk"]) for line in logs] == [("tried_in_vain", "here")]
    assert (len(background), over) == (1, 1)
    assert not await background.wait(0.01)
    background.cancel()
    assert await background.wait(20)
    assert (len(background), over) == (0, 2)


async def test_there_may_be_nothing_in_the_background_to_wait_for() -> None:
    assert await Background("never").wait(0)

"""Work in the background: when it is done, and what ends it."""

from __future__ import annotations

import asyncio

from bridge.base.tasks import Part
from bridge.dialer.rounds import Rounds
from bridge.store import StoreFailed


def part(name: str) -> Part:
    return Part(name, on_dead=lambda _: None)


class Counted:
    """Work that counts its rounds, and tells when it has done so many."""

    def __init__(self, rest: float | None, *failures: Exception) -> None:
        self.done = 0
        self._rest = rest
        self._failures = list(failures)
        self._changed = asyncio.Condition()

    async def work(self) -> float | None:
        async with self._changed:
            self.done += 1
            self._changed.notify_all()
        if self._failures:
            raise self._failures.pop(0)
        return self._rest

    async def rounds(self, count: int) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: self.done >= count)


async def test_a_round_follows_after_the_rest_it_asked_for() -> None:
    counted = Counted(0.05)
    rounds = Rounds(part("counting"), counted.work)
    began = asyncio.get_running_loop().time()
    rounds.start()
    await counted.rounds(4)
    assert 0.15 <= asyncio.get_running_loop().time() - began < 3
    await rounds.stop()


async def test_without_a_rest_the_next_round_waits_to_be_woken() -> None:
    counted = Counted(None)
    rounds = Rounds(part("counting"), counted.work)
    rounds.start()
    await counted.rounds(1)
    rounds.wake()
    await counted.rounds(2)
    await rounds.stop()
    assert counted.done == 2


async def test_a_failed_round_is_followed_by_another_one() -> None:
    counted = Counted(None, StoreFailed("it is away"), RuntimeError("a fault of ours"))
    rounds = Rounds(part("counting"), counted.work)
    rounds.start()
    await counted.rounds(3)
    await rounds.stop()


async def test_a_round_under_way_is_finished_when_the_work_is_stopped() -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    rounds = Rounds(part("waiting"), work)
    rounds.start()
    await begun.wait()
    stopping = asyncio.create_task(rounds.stop())
    asyncio.get_running_loop().call_soon(may_end.set)
    await stopping
    assert ended.is_set()


async def test_a_wake_during_a_round_is_not_lost() -> None:
    done = 0
    enough = asyncio.Event()

    async def work() -> None:
        nonlocal done
        done += 1
        if done == 1:
            rounds.wake()
        else:
            enough.set()

    rounds = Rounds(part("waking"), work)
    rounds.start()
    async with asyncio.timeout(20):
        await enough.wait()
    await rounds.stop()

"""Work beside the event loop: how much at once, and what becomes of it when nobody waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from structlog.contextvars import bound_contextvars, get_contextvars

from bridge.base.threads import Threads


class Gate:
    """Work that tells that it has begun, and goes on when it may."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.done = 0

    def pass_through(self) -> str:
        self.begun.release()
        assert self.may_end.wait(20)
        self.done += 1
        return threading.current_thread().name

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.acquire, timeout=20)


@pytest.fixture
def threads() -> Iterator[Threads]:
    threads = Threads("tried", 1)
    yield threads
    threads.join()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.may_end.set()


async def test_work_returns_and_raises_as_if_it_were_here(threads: Threads, gate: Gate) -> None:
    gate.may_end.set()
    assert (await threads.run(gate.pass_through)).startswith("tried")
    with pytest.raises(ValueError, match="hostile"):
        await threads.run(int, "hostile", base=16)


async def test_what_is_more_than_there_are_threads_waits(threads: Threads, gate: Gate) -> None:
    working = [asyncio.ensure_future(threads.run(gate.pass_through)) for _ in range(3)]
    await gate.has_begun()
    assert not gate.begun.acquire(timeout=0.05)
    gate.may_end.set()
    await asyncio.gather(*working)
    assert gate.done == 3


async def test_who_stops_waiting_ends_nothing_that_has_begun_and_the_thread_is_free_again(
    threads: Threads, gate: Gate
) -> None:
    given_up, never_begun = (asyncio.ensure_future(threads.run(gate.pass_through)) for _ in range(2))
    await gate.has_begun()
    given_up.cancel()
    never_begun.cancel()
    await asyncio.wait([given_up, never_begun])
    gate.may_end.set()
    async with asyncio.timeout(20):
        await threads.run(gate.pass_through)
    assert gate.done == 2


async def test_what_is_only_begun_is_done_although_nobody_waits(threads: Threads, gate: Gate) -> None:
    for _ in range(2):
        threads.begin(gate.pass_through).cancel()
    gate.may_end.set()
    await asyncio.to_thread(threads.join)
    assert gate.done == 2


@pytest.mark.parametrize(("drop", "done"), [(False, 2), (True, 1)])
async def test_closed_threads_finish_what_they_have(threads: Threads, gate: Gate, drop: bool, done: int) -> None:
    working = [asyncio.ensure_future(threads.run(gate.pass_through)) for _ in range(2)]
    await gate.has_begun()
    threads.close(drop=drop)
    gate.may_end.set()
    await asyncio.wait(working)
    assert gate.done == done
    assert [one.cancelled() for one in working] == [False, drop]


async def test_a_line_of_the_log_is_about_the_same_call_in_a_thread(threads: Threads) -> None:
    with bound_contextvars(message="m1"):
        assert await threads.run(get_contextvars) == {"message": "m1"}

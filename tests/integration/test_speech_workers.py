"""The processes that speak: killed, hanging, given up and closed at any moment, none is left behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvloop

from bridge.speech.engine import EngineSettings
from bridge.speech.engines.espeak_ng.engine import EspeakEngine
from bridge.speech.errors import EngineFailedError, EngineUnavailableError
from bridge.speech.workers import process
from tests.integration.conftest import until
from tests.integration.espeak_workers import Workers

TURNS = [*range(16), 20, 30, 50, 100, 200, 500, 1000, 2000, 4000]
"""Of the event loop: a worker is started within the first dozen, and says that it is ready some thousand later."""


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    """Of an event loop that has the pipes which it opens for itself."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        runner.run(turns(1))
        yield runner


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workers:
    return Workers(tmp_path, monkeypatch)


@pytest.fixture
async def engine(workers: Workers) -> AsyncIterator[EspeakEngine]:
    engine = EspeakEngine(EngineSettings())
    await engine.start()
    yield engine
    await engine.close()


async def said(engine: EspeakEngine, text: str) -> int:
    """How many samples were made of it."""
    return len((await engine.synthesize(text, engine.voices("en")[0], 1.0)).samples)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def none_is_left(workers: Workers) -> bool:
    return not workers.pids() and not workers.pipes()


async def test_an_engine_closed_while_it_speaks_starts_no_worker_any_more(
    engine: EspeakEngine, workers: Workers
) -> None:
    speaking = [asyncio.create_task(said(engine, f"number {number} is waiting")) for number in range(40)]
    await asyncio.wait(speaking, return_when=asyncio.FIRST_COMPLETED)
    workers.kill()
    await engine.close()
    ends = await asyncio.gather(*speaking, return_exceptions=True)
    assert none_is_left(workers)
    assert {type(end) for end in ends} == {int, EngineFailedError}


async def test_a_closed_engine_refuses_to_speak(engine: EspeakEngine, workers: Workers) -> None:
    await engine.close()
    with pytest.raises(EngineFailedError, match="closed"):
        await said(engine, "is anybody there")
    with pytest.raises(EngineUnavailableError, match="closed"):
        await engine.start()
    assert none_is_left(workers)


def test_a_start_given_up_at_any_moment_leaves_nothing(runner: asyncio.Runner, workers: Workers) -> None:
    async def give_up_after(count: int) -> None:
        engine = EspeakEngine(EngineSettings())
        starting = asyncio.create_task(engine.start())
        await turns(count)
        starting.cancel()
        await asyncio.wait([starting])
        if starting.cancelled():
            await asyncio.to_thread(until, lambda: none_is_left(workers))  # uvloop needs a turn more
        await engine.close()
        assert none_is_left(workers), f"after {count} turns"

    for count in TURNS:
        runner.run(give_up_after(count))


def test_an_engine_closed_at_any_moment_of_its_start_leaves_nothing(runner: asyncio.Runner, workers: Workers) -> None:
    async def close_after(count: int) -> None:
        engine = EspeakEngine(EngineSettings())
        starting = asyncio.create_task(engine.start())
        await turns(count)
        await engine.close()
        assert none_is_left(workers), f"after {count} turns"
        await asyncio.wait([starting])
        assert starting.exception() is None or isinstance(starting.exception(), EngineUnavailableError)
        assert none_is_left(workers), f"after {count} turns"

    for count in TURNS:
        runner.run(close_after(count))


@pytest.mark.parametrize("count", [0, 1, 2, 5])
async def test_a_close_that_is_given_up_leaves_nothing_either(
    engine: EspeakEngine, workers: Workers, count: int
) -> None:
    speaking = asyncio.create_task(said(engine, "the quick brown fox jumps over the lazy dog " * 50))
    await turns(3)
    closing = asyncio.create_task(engine.close())
    await turns(count)
    closing.cancel()
    await asyncio.wait([closing, speaking])
    await engine.close()
    assert none_is_left(workers)


async def test_a_request_given_up_leaves_no_worker_that_goes_on_with_it(engine: EspeakEngine, workers: Workers) -> None:
    before = workers.pids()
    speaking = asyncio.create_task(said(engine, "the quick brown fox jumps over the lazy dog " * 200))
    await turns(3)
    speaking.cancel()
    await asyncio.wait([speaking])
    assert not set(before) & set(workers.pids())
    assert await said(engine, "again") > 0


async def test_a_worker_killed_between_two_requests_is_not_missed(engine: EspeakEngine, workers: Workers) -> None:
    whole = await said(engine, "one")
    for _ in range(5):
        assert workers.kill() == 1
        assert await said(engine, "one") == whole
    assert len(workers.pids()) == 1


def hanging_data(folder: Path) -> Path:
    """Data of which the library waits for a file for ever."""
    data = folder / "espeak-ng-data"
    data.mkdir(parents=True)
    os.mkfifo(data / "phontab")
    return folder


async def test_a_worker_that_hangs_as_it_starts_is_replaced(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESPEAK_DATA_PATH", str(hanging_data(tmp_path / "data")))
    engine = EspeakEngine(EngineSettings())
    starting = asyncio.create_task(engine.start())
    await asyncio.to_thread(until, workers.pids)
    monkeypatch.delenv("ESPEAK_DATA_PATH")
    await starting
    try:
        assert await said(engine, "one") > 0
    finally:
        await engine.close()
    assert none_is_left(workers)


async def test_an_engine_whose_workers_all_hang_as_they_start_is_unavailable(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESPEAK_DATA_PATH", str(hanging_data(tmp_path / "data")))
    monkeypatch.setattr(process, "READY_SECONDS", 0.5)
    with pytest.raises(EngineUnavailableError, match="3 workers"):
        await EspeakEngine(EngineSettings()).start()
    assert none_is_left(workers)


KILLED = """
import asyncio, sys
from bridge.speech.engine import EngineSettings
from bridge.speech.engines.espeak_ng.engine import EspeakEngine
async def main():
    starting = asyncio.create_task(EspeakEngine(EngineSettings()).start())
    await asyncio.wait([starting], timeout=float(sys.argv[1]))
    print("up", flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.parametrize("hangs", [False, True])
def test_a_daemon_that_is_killed_takes_its_workers_with_it(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    if hangs:
        monkeypatch.setenv("ESPEAK_DATA_PATH", str(hanging_data(tmp_path / "data")))
    command = [sys.executable, "-c", KILLED, "2" if hangs else "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "up\n"
        assert len(workers.pids()) == 1
        daemon.kill()
    until(lambda: not workers.pids())

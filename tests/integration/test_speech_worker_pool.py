"""Worker processes for any engine: an engine's own file is all that they need to know of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.speech.errors import EngineFailedError, EngineUnavailableError
from bridge.speech.workers.pool import WorkerPool
from bridge.speech.workers.process import WorkerProgram

PARROT = """
import json, os, sys, time

class Parrot:
    hello = {"pid": os.getpid(), "environment": sorted(os.environ)}

    def answer(self, request):
        print("noise")  # of a library: it is no answer
        match request:
            case {"say": str(text)}:
                return json.dumps([os.getpid(), text]).encode()
            case {"refuse": str(reason)}:
                raise ValueError(reason)
            case {"die": _}:
                os._exit(1)
            case {"meet": str(place), "count": int(count)}:
                open(os.path.join(place, str(os.getpid())), "x")
                while len(os.listdir(place)) < count:
                    time.sleep(0.01)
                return b"null"

def load():
    return Parrot()
"""
LACKING = """
def load():
    raise OSError("there is no parrot")
"""


def program(folder: Path, code: str) -> WorkerProgram:
    file = folder / "parrot.py"
    file.write_text(code)
    return WorkerProgram(engine="parrot", file=file, options=("-I", "-S", "-B"), environment=("PARROT_FOOD",))


@pytest.fixture
async def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WorkerPool]:
    monkeypatch.setenv("PARROT_FOOD", "seeds")
    pool = WorkerPool(program(tmp_path, PARROT), 2)
    yield pool
    await pool.close()


async def answer(pool: WorkerPool, **request: object) -> Any:
    return json.loads(await pool.ask(request))


async def test_a_worker_tells_of_itself_answers_and_sees_nothing_else_of_our_environment(pool: WorkerPool) -> None:
    hello = await pool.start()
    assert set(hello["environment"]) - {"LC_CTYPE"} == {"PARROT_FOOD"}
    assert await answer(pool, say="hello") == [hello["pid"], "hello"]
    assert await answer(pool, say="č 語") == [hello["pid"], "č 語"]


async def test_a_request_that_is_refused_costs_no_worker(pool: WorkerPool) -> None:
    hello = await pool.start()
    with pytest.raises(EngineFailedError, match="not that"):
        await pool.ask({"refuse": "not that"})
    assert await answer(pool, say="again") == [hello["pid"], "again"]


async def test_a_request_that_every_worker_dies_of_is_given_up_and_the_next_is_answered(pool: WorkerPool) -> None:
    hello = await pool.start()
    with pytest.raises(EngineFailedError, match="parrot: 3 workers died one after the other"):
        await pool.ask({"die": True})
    pid, said = await answer(pool, say="again")
    assert said == "again"
    assert pid != hello["pid"]


async def test_as_many_requests_are_answered_at_once_as_there_are_workers(pool: WorkerPool, tmp_path: Path) -> None:
    place = tmp_path / "meeting"
    place.mkdir()
    async with asyncio.timeout(20):
        await asyncio.gather(*(pool.ask({"meet": str(place), "count": 2}) for _ in range(2)))


async def test_what_is_missing_is_told_with_the_engine_s_name(tmp_path: Path) -> None:
    pool = WorkerPool(program(tmp_path, LACKING), 1)
    with pytest.raises(EngineUnavailableError, match=r"^parrot: there is no parrot$"):
        await pool.start()
    await pool.close()


async def test_a_closed_pool_answers_nobody(pool: WorkerPool) -> None:
    await pool.start()
    await pool.close()
    with pytest.raises(EngineFailedError, match="parrot: the engine is closed"):
        await pool.ask({"say": "hello"})
    with pytest.raises(EngineUnavailableError, match="parrot: the engine is closed"):
        await pool.start()

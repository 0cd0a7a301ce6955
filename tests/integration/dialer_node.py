"""A node without its API: store, dialer and speech on a real Asterisk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import uuid4

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.asterisk.trunks import TrunkWatch
from bridge.base.outbound import Outbound
from bridge.base.tasks import PartCannotLive, Supervisor
from bridge.calls.runner import AttemptRunner
from bridge.dialer.dialer import Dialer
from bridge.dialer.traffic import Traffic
from bridge.messages.attempt import Attempt
from bridge.messages.expansion import Destination
from bridge.messages.message import Content, Retry
from bridge.messages.progress import State
from bridge.messages.routes import Routes
from bridge.recordings.files import RecordingFiles
from bridge.speech.engine_registry import build_engines
from bridge.speech.speech import Speech
from bridge.store import Store, TrunkLimit
from bridge.telephony.formats import Formats
from tests.orders import Order, bulk_of

TRUNK = TrunkLimit("trunk", calls_per_second=50, max_calls=200)

_numbers = count(1)


@dataclass
class Node:
    """A running node; ``attempts`` are those that it has told of, which is soon after the store has their outcome."""

    name: str
    store: Store
    dialer: Dialer
    traffic: Traffic
    watch: TrunkWatch
    superseded: asyncio.Event
    attempts: list[Attempt] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def settled(self, _account: str, _bulk_id: str, attempt: Attempt) -> None:
        async with self._changed:
            self.attempts.append(attempt)
            self._changed.notify_all()

    async def until_calls(self, trunk: str, calls: int) -> None:
        """Wait until so many calls are under way on a trunk."""

        async def are_there() -> bool:
            return self.traffic.standing()[trunk].calls == calls

        await until_true(are_there)

    async def until_settled(self, attempts: int, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: len(self.attempts) >= attempts)


def telephones_of(kind: str, calls: int) -> list[str]:
    """Numbers of telephones of one kind that no other test calls."""
    return [f"{kind}7{next(_numbers):05d}" for _ in range(calls)]


async def send(store: Store, numbers: Iterable[str], *, retry: Retry | None = None, ring_timeout: int = 10) -> str:
    """Accept a message to each of the numbers, which are its ids as well; return the bulk's id."""
    content = Content(text="Hello", retry=retry, ring_timeout=ring_timeout)
    order = Order(content, [Destination(number, number) for number in numbers])
    bulk = bulk_of(order, now=datetime.now(UTC))
    await store.messages.accept(bulk)
    return bulk.id


async def states(store: Store, bulk_id: str) -> dict[State, int]:
    counts = await store.bulks.counts("acme", bulk_id)
    assert counts is not None
    return counts


async def attempts_to(store: Store, numbers: Iterable[str]) -> list[Attempt]:
    """Every attempt of the messages to these numbers."""
    return [attempt for number in numbers for attempt in await store.messages.attempts("acme", number)]


async def until_is(store: Store, bulk_id: str, expected: dict[State, int], seconds: float = 30) -> None:
    """Wait until the bulk's messages are in these states."""

    async def are_there() -> bool:
        return await states(store, bulk_id) == expected

    await until_true(are_there, seconds)


async def until_true(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Wait for a condition; the test fails when the time is over first."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        await asyncio.sleep(0.02)


def _must_live(error: PartCannotLive) -> None:
    raise error


@asynccontextmanager
async def running_node(
    name: str,
    database_url: str,
    folder: Path,
    links: Sequence[AmiLink],
    *,
    trunks: Sequence[TrunkLimit] = (TRUNK,),
    routes: Routes | None = None,
    drain_seconds: float = 10,
) -> AsyncIterator[Node]:
    """A node that dials by these trunks, the first of which leads everywhere unless ``routes`` say otherwise."""
    routes = routes or Routes([("", trunks[0].name)])
    store = Store(database_url, routes)
    supervisor = Supervisor(on_dead=_must_live)
    supervisor.keep("wakeups", store.hear)
    voice = Speech(cache_dir=folder / "speech", engines=build_engines(("espeak-ng",)))
    await voice.start()
    (folder / "journal").mkdir(parents=True)
    traffic, superseded = Traffic(trunks), asyncio.Event()
    switchboards = [Switchboard(link, Journal(folder / "journal")) for link in links]
    watch = TrunkWatch(links, {trunk.name: None for trunk in trunks})
    supervisor.keep("trunk watch", watch.run)

    async def settled(account: str, bulk_id: str, attempt: Attempt) -> None:
        await node.settled(account, bulk_id, attempt)

    runner = AttemptRunner(
        store=store,
        exchanges={switchboard.name: switchboard for switchboard in switchboards},
        speech=voice,
        recordings=RecordingFiles(folder / "recordings"),
        outbound=Outbound(),
        routes=routes,
        pace=traffic,
        formats=Formats(),
        on_settled=settled,
    )
    dialer = Dialer(
        store=store,
        exchanges=switchboards,
        runner=runner,
        node=name,
        instance=uuid4().hex,
        trunks=trunks,
        routes=routes,
        watch=watch,
        traffic=traffic,
        supervisor=supervisor,
        on_superseded=superseded.set,
    )
    node = Node(name, store, dialer, traffic, watch, superseded)
    await dialer.start()
    try:
        yield node
    finally:
        await dialer.drain(drain_seconds)
        await supervisor.stop()
        await voice.close()
        await store.close()

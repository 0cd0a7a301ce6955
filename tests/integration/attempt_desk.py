"""Daemons reduced to attempts on a real Asterisk, one after the other on one store; each may be killed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.base.outbound import Outbound
from bridge.base.tasks import Supervisor
from bridge.calls.runner import AttemptRunner
from bridge.dialer.recovery import Recovery
from bridge.dialer.traffic import Traffic
from bridge.messages.attempt import Attempt
from bridge.messages.expansion import Destination
from bridge.messages.message import Content
from bridge.messages.progress import Progress, Report
from bridge.messages.routes import Routes
from bridge.recordings.files import RecordingFiles
from bridge.speech.engine_registry import build_engines
from bridge.speech.speech import Speech
from bridge.store import Claim, Store, TrunkLimit
from bridge.telephony.formats import Formats
from tests.orders import Order, bulk_of

LONG_AGO = timedelta(seconds=10)
ANYWHERE = Routes([("", "trunk")])

_T = TypeVar("_T")


@dataclass
class Process:
    """What a daemon has for its attempts; ``settled`` are those for which it would write a CDR."""

    store: Store
    links: list[AmiLink]
    speech: Speech
    runner: AttemptRunner
    recovery: Recovery
    settled: list[Attempt]
    calls: list[asyncio.Task[None]] = field(default_factory=list)

    def run(self, claim: Claim) -> None:
        self.calls.append(asyncio.create_task(self.runner.run(claim)))

    async def die(self) -> None:
        """As after kill -9: nothing more is said to Asterisk, and nothing is written."""
        for link in self.links:
            await link.close()
        tasks = [*self.calls, *self.recovery._taken_up._tasks, *self.runner._background._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.close()

    async def close(self) -> None:
        await self.recovery.stop()
        await self.speech.close()
        await self.store.close()


@dataclass
class Desk:
    """Starts processes, each on what the one before left. ``urls`` are the AMI addresses of the node's Asterisks."""

    urls: Sequence[str]
    database_url: str
    folder: Path
    routes: Routes = ANYWHERE
    processes: list[Process] = field(default_factory=list)

    async def start(self, *, recovers: bool = True) -> Process:
        (self.folder / "journal").mkdir(exist_ok=True)
        (self.folder / "recordings").mkdir(exist_ok=True)
        store = Store(self.database_url, self.routes)
        now = datetime.now(UTC)
        await store.nodes.take("here", uuid4().hex, now, now + timedelta(hours=1))
        speech = Speech(cache_dir=self.folder / "speech", engines=build_engines(("espeak-ng",)))
        await speech.start()
        links = [AmiLink(url) for url in self.urls]
        journal = Journal(self.folder / "journal")
        switchboards = {link.name: Switchboard(link, journal) for link in links}
        settled: list[Attempt] = []

        async def note(_account: str, _bulk_id: str, attempt: Attempt) -> None:
            settled.append(attempt)

        runner = AttemptRunner(
            store=store,
            exchanges=switchboards,
            speech=speech,
            recordings=RecordingFiles(self.folder / "recordings"),
            outbound=Outbound(),
            routes=self.routes,
            pace=Traffic([TrunkLimit(trunk, 100, 100) for _, trunk in self.routes.pairs]),
            formats=Formats(),
            on_settled=note,
        )
        recovery = Recovery(
            store=store,
            exchanges=switchboards,
            journal=journal,
            runner=runner,
            node="here",
            supervisor=Supervisor(on_dead=lambda _: None),
        )
        process = Process(store, links, speech, runner, recovery, settled)
        self.processes.append(process)
        for link in links:
            await link.start()
            await link.wait_connected()
        if recovers:
            recovery.start()
        return process

    async def claimed(
        self, process: Process, number: str, content: Content, *, node: str = "here", ago: timedelta = timedelta(0)
    ) -> Claim:
        """A message to the number, and its attempt; number, bulk and message are called the same."""
        await self.accepted(process, number, content, ago=ago)
        return await self.claim(process, number, node=node, ago=ago)

    async def accepted(self, process: Process, number: str, content: Content, *, ago: timedelta = timedelta(0)) -> None:
        """A message to the number; number, bulk and message are called the same."""
        order = Order(content, [Destination(number, number)])
        await process.store.messages.accept(bulk_of(order, now=datetime.now(UTC) - ago, bulk_id=number))

    async def claim(self, process: Process, number: str, *, node: str = "here", ago: timedelta = timedelta(0)) -> Claim:
        """An attempt of the message to the number, the only one that is due."""
        now = datetime.now(UTC) - ago
        trunk = self.routes.trunks(number)[0]
        claims = await process.store.calls.claim_due(
            node=node,
            asterisk=process.links[0].name,
            of_trunk=trunk,
            limit_of=TrunkLimit(trunk, 100, 100),
            clock=lambda: now,
            ahead=timedelta(seconds=1),
            limit=1,
        )
        (claim,) = claims.claims
        return claim


async def progress_of(process: Process, message_id: str) -> Progress:
    progress = await process.store.messages.progress("acme", message_id)
    assert progress is not None
    return progress


async def only_report(process: Process) -> Report:
    (report,) = await process.store.reports.take("acme")
    return report


async def kept_of(process: Process) -> dict[str, Any]:
    """What is kept of the only open attempt."""
    found = await process.store.calls.open_of("here")
    return found[0].happened[0] if found and found[0].happened else {"told": [], "course": {}, "actions": []}


async def eventually(
    ask: Callable[[], Awaitable[_T]], is_so: Callable[[_T], object] = lambda it: it, seconds: float = 30
) -> _T:
    """The answer, as soon as it is so."""
    deadline = time.monotonic() + seconds
    while not is_so(answer := await ask()):
        assert time.monotonic() < deadline, f"not in time; last it was {answer}"
        await asyncio.sleep(0.02)
    return answer

"""One trial: messages are sent during faults, everything comes to rest, and the oracle is asked."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from secrets import randbelow

from tests.chaos.book import Book, read_book
from tests.chaos.calls_to_make import messages
from tests.chaos.faults import Fault, Scene
from tests.chaos.fleet import Fleet
from tests.chaos.oracle import Evidence, figures, violations
from tests.chaos.traffic import Application, running_application

LONGEST_UNKNOWN_SECONDS = 150.0
"""After its calls' longest end and a minute, an attempt of a node that is gone is settled by another."""
RETRY_SECONDS = 75.0
"""The ladder's shortest wait, and the call."""

_LOOK_EVERY_SECONDS = 0.5
_LAST_CALLS_SECONDS = 20.0
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Size:
    """How much is sent and how often something is hurt.

    ``waits_for_retries`` is whether the ladder's minute is waited for; otherwise retries are called forward.
    """

    messages: int
    per_second: float
    retries: int
    waits_for_retries: bool
    harms: int = 0

    @property
    def seconds(self) -> float:
        """In which all is sent, and everything is hurt."""
        return self.messages / self.per_second


SHORT = Size(messages=60, per_second=10, retries=1, waits_for_retries=False, harms=3)
LONG = Size(messages=1000, per_second=20, retries=2, waits_for_retries=True, harms=10)
IS_LONG = os.environ.get("CHAOS") == "long"
SIZE = LONG if IS_LONG else SHORT
SEED = int(os.environ.get("CHAOS_SEED") or randbelow(10**6))
"""A trial that failed is made again with the seed that it showed."""

_series = count()


async def trial(name: str, fleet: Fleet, faults: Sequence[Fault], size: Size = SIZE) -> Evidence:
    """Send while the faults happen one after the other at random moments; fails with every promise that was broken."""
    random = Random(f"{SEED} {name}")  # noqa: S311 - a trial that can be made again
    async with running_application(fleet.urls) as application:
        to_send = messages(size.messages, random, next(_series))
        async with asyncio.TaskGroup() as together:
            together.create_task(application.send(fleet.urls, to_send, size.per_second, size.retries))
            together.create_task(_hurt(Scene(fleet, application, random), faults, size.seconds))
        began = time.monotonic()
        await come_to_rest(fleet, application, size)
        channels = await channels_left(fleet)
    evidence = evidence_of(fleet, application, size)
    print(f"\n{name} (CHAOS_SEED={SEED}): {figures(evidence)}, at rest after {time.monotonic() - began:.0f} s")
    broken = violations(evidence) + [f"channel left: {channel}" for channel in channels]
    assert not broken, "\n".join([f"{len(broken)} promises broken:", *broken[:_SHOWN]])
    return evidence


async def _hurt(scene: Scene, faults: Sequence[Fault], seconds: float) -> None:
    started = time.monotonic()
    moments = sorted(scene.random.uniform(0, seconds) for _ in faults)
    for fault, moment in zip(faults, moments, strict=True):
        await asyncio.sleep(started + moment - time.monotonic())
        await fault(scene)


async def come_to_rest(fleet: Fleet, application: Application, size: Size) -> None:
    """Until every message is over and its report has arrived, or the time is over in which that must be."""
    deadline = time.monotonic() + size.retries * RETRY_SECONDS + LONGEST_UNKNOWN_SECONDS
    while time.monotonic() < deadline:
        book = read_book(fleet.database_url, application.accepted)
        waiting = [id_ for id_ in application.accepted if not _is_over(id_, application, book)]
        if not waiting:
            return
        if not size.waits_for_retries:
            await application.call_again_now(fleet.urls, [id_ for id_ in waiting if book.attempts[id_]])
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _is_over(id_: str, application: Application, book: Book) -> bool:
    pushed = application.accepted[id_].pushed
    reported = application.pushed[id_] > 0 if pushed else any(book.taken[id_])
    return reported and all(attempt.ended_at for attempt in book.attempts[id_])


def evidence_of(fleet: Fleet, application: Application, size: Size) -> Evidence:
    """What application, database and telephones know."""
    return Evidence(
        application=application,
        book=read_book(fleet.database_url, application.accepted),
        phone_calls=fleet.phone_calls(message.number for message in application.accepted.values()),
        most_attempts=1 + size.retries,
        deaths=fleet.deaths,
    )


async def channels_left(fleet: Fleet) -> list[str]:
    """The channels that do not go away by themselves, at each Asterisk and at the carrier."""
    deadline = time.monotonic() + _LAST_CALLS_SECONDS
    while left := await _channels(fleet):
        if time.monotonic() > deadline:
            break
    return left


async def _channels(fleet: Fleet) -> list[str]:
    found = [channel for node in fleet.nodes for channel in await node.channels()]
    found += await fleet.nodes[0].channels(of_carrier=True)
    return [channel.name for channel in found]

"""``python -m tests.soak``: SOAK_SECONDS of calls at a steady pace; exit status 1 when anything grew, stuck or died."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos.calls_to_make import messages
from tests.chaos.fleet import ASTERISK, DAEMON, Fleet, start_fleet, stop_fleet
from tests.chaos.oracle import figures, violations
from tests.chaos.traffic import Application, running_application
from tests.chaos.trial import Size, channels_left, come_to_rest, evidence_of
from tests.soak.vitals import Vitals, growth, vitals

CALLS_PER_SECOND = 10.0
MOST_GROWTH = {"rss": (10_000, 0.05), "files": (10, 0.10)}
"""Of the last quarter over the second one: kB or files, and their share. Both must be passed to count."""

PARTS = {"daemon": DAEMON, "asterisk": ASTERISK}
SAMPLES = 200
SHORTEST_INTERVAL = 1.0
HEARD_KEPT_SECONDS = 60


@dataclass(slots=True)
class Record:
    """What was seen of each part, and how many calls were under way."""

    vitals: dict[str, list[Vitals]] = field(default_factory=lambda: {part: [] for part in PARTS})
    channels: list[int] = field(default_factory=list)


async def main(seconds: float) -> int:
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        print(f"{seconds:.0f} s at {CALLS_PER_SECOND:.0f} calls a second", flush=True)
        fleet = await start_fleet([Path(folder)])
        try:
            problems = await _soak(fleet, seconds)
        finally:
            await stop_fleet(fleet)
    for problem in problems:
        print(f"VIOLATED: {problem}")
    return 1 if problems else 0


async def _soak(fleet: Fleet, seconds: float) -> list[str]:
    size = Size(round(seconds * CALLS_PER_SECOND), CALLS_PER_SECOND, retries=0, waits_for_retries=True)
    to_send = messages(size.messages, Random(0), series=0)  # noqa: S311 - the same calls each time
    pids = {part: fleet.nodes[0].pid(variable) for part, variable in PARTS.items()}
    record = Record()
    async with running_application(fleet.urls) as application:
        watching = asyncio.create_task(_watch(fleet, pids, record, max(SHORTEST_INTERVAL, seconds / SAMPLES)))
        await application.send(fleet.urls, to_send, size.per_second, size.retries)
        watching.cancel()
        await asyncio.wait([watching])
        await come_to_rest(fleet, application, size)
        channels = await channels_left(fleet)
    _show(record)
    return [
        *_died(pids),
        *_grown(record),
        *(f"stuck: {channel}" for channel in channels),
        *_judge(fleet, application, size),
    ]


async def _watch(fleet: Fleet, pids: dict[str, int], record: Record, interval: float) -> None:
    while True:
        for part, pid in pids.items():
            record.vitals[part].append(vitals(pid))
        record.channels.append(len(await fleet.nodes[0].channels()))
        await asyncio.to_thread(_forget_what_was_heard, fleet.nodes[0].lab.directory / "heard")
        await asyncio.sleep(interval)


def _forget_what_was_heard(folder: Path) -> None:
    """What the telephones keep would fill the disk: 8 kB for each second of each call."""
    for file in folder.glob("*/*"):
        if file.stat().st_mtime < time.time() - HEARD_KEPT_SECONDS:
            file.unlink()


def _died(pids: dict[str, int]) -> list[str]:
    return [f"the {part} died" for part, pid in pids.items() if not Path(f"/proc/{pid}").exists()]


def _grown(record: Record) -> list[str]:
    return [
        f"{name} of the {part} grew by {grown:.0f}, {share:.1%}"
        for part, seen in record.vitals.items()
        for name, (most, largest_share) in MOST_GROWTH.items()
        for grown, share in [growth([getattr(one, name) for one in seen])]
        if grown > most and share > largest_share
    ]


def _judge(fleet: Fleet, application: Application, size: Size) -> list[str]:
    evidence = evidence_of(fleet, application, size)
    print(figures(evidence))
    return violations(evidence)


def _show(record: Record) -> None:
    print(f"{'':20}{'start':>10}{'25 %':>10}{'50 %':>10}{'75 %':>10}{'end':>10}{'growth':>10}")
    for part, seen in record.vitals.items():
        _row(f"{part} RSS, kB", [one.rss for one in seen])
        _row(f"{part} open files", [one.files for one in seen])
    _row("channels", record.channels)


def _row(title: str, values: Sequence[int]) -> None:
    quarters = [values[round(index * (len(values) - 1) / 4)] for index in range(5)]
    print(f"{title:20}" + "".join(f"{value:>10}" for value in quarters) + f"{growth(values)[1]:>10.1%}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(os.environ.get("SOAK_SECONDS") or 3600))))

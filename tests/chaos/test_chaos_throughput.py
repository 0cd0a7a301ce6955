"""How much more two nodes do than one, each with its own Asterisk, on one PostgreSQL."""

from __future__ import annotations

import os
from pathlib import Path

from tests.chaos.fleet import ASTERISK, DAEMON, Fleet, start_fleet, stop_fleet
from tests.chaos.trial import Size, trial
from tests.postgres import Postgres, running_postgres

ALL_AT_ONCE = Size(messages=1000, per_second=1000, retries=0, waits_for_retries=True)
AS_MUCH_AS_GOES = {"VOICEBRIDGE_TRUNK_CALLS_PER_SECOND": "1000", "VOICEBRIDGE_TRUNK_MAX_CALLS": "1000"}
TICKS = os.sysconf("SC_CLK_TCK")
WHERE_ONE_NODE_IS_THE_LIMIT = 0.7
"""Of the machine's cores that one node keeps busy, with the carrier: above it, a second one finds no room."""


async def test_two_nodes_do_more_than_one_unless_the_machine_is_busy_already(tmp_path: Path) -> None:
    with running_postgres(durable=True) as postgres:
        one, busy = await _calls_per_second(1, postgres, tmp_path / "one")
        two, _ = await _calls_per_second(2, postgres, tmp_path / "two")
    print(f"two nodes make {two / one:.2f} times the calls of one, which kept {busy:.0%} of the machine busy")
    assert two / one > (0.8 if busy > WHERE_ONE_NODE_IS_THE_LIMIT else 1.8)


async def _calls_per_second(nodes: int, postgres: Postgres, folder: Path) -> tuple[float, float]:
    """What the fleet does in the middle of the work, and the share of the machine that was busy from begin to end."""
    fleet = await start_fleet([folder / str(node) for node in range(nodes)], AS_MUCH_AS_GOES, postgres)
    try:
        before, idle_before, parts_before = *_machine(), _parts(fleet)
        evidence = await trial(f"{nodes} node(s), as fast as it goes", fleet, [], ALL_AT_ONCE)
        after, idle_after, parts_after = *_machine(), _parts(fleet)
    finally:
        await stop_fleet(fleet)
    started = sorted(call.started for [call] in evidence.phone_calls.values())
    tenth = len(started) // 10
    rate = (len(started) - 2 * tenth) / (started[-tenth] - started[tenth]).total_seconds()
    busy = 1 - (idle_after - idle_before) / (after - before)
    used = {part: round(parts_after[part] - parts_before[part], 1) for part in parts_after}
    print(f"{nodes} node(s): {rate:.1f} calls a second, {busy:.0%} of the machine busy, CPU seconds {used}")
    return rate, busy


def _machine() -> tuple[int, int]:
    """All ticks of the processors, and the idle ones among them (``/proc/stat``, proc(5))."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return sum(ticks), ticks[3] + ticks[4]


def _parts(fleet: Fleet) -> dict[str, float]:
    """The CPU seconds of all daemons and all Asterisks so far."""
    return {name: sum(_cpu(node.pid(name)) for node in fleet.nodes) for name in (DAEMON, ASTERISK)}


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS

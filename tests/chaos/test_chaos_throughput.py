"""Throughput of two nodes against one, each with its own Asterisk, on one PostgreSQL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.chaos.fleet import ASTERISK, DAEMON, Fleet, start_fleet, stop_fleet
from tests.chaos.trial import Size, trial
from tests.postgres import Postgres, running_postgres

ALL_AT_ONCE = Size(messages=1000, per_second=1000, retries=0, waits_for_retries=True)
MORE_THAN_GOES = {"VOICEBRIDGE_TRUNK_CALLS_PER_SECOND": "100", "VOICEBRIDGE_TRUNK_MAX_CALLS": "1000"}
TICKS = os.sysconf("SC_CLK_TCK")
PERCENT_OF_A_CORE = 15
"""What each Asterisk may use, so that it is the limit, and the machine has room for two and for all the rest."""


async def test_two_nodes_do_twice_as_much_as_one_where_asterisk_is_the_limit(tmp_path: Path) -> None:
    with running_postgres(durable=True) as postgres:
        one = await _calls_per_second(1, postgres, tmp_path / "one")
        two = await _calls_per_second(2, postgres, tmp_path / "two")
    print(f"two nodes make {two / one:.2f} times the calls of one")
    assert two / one >= 1.8


async def _calls_per_second(nodes: int, postgres: Postgres, folder: Path) -> float:
    """What the fleet does in the middle of the work."""
    fleet = await start_fleet([folder / str(node) for node in range(nodes)], MORE_THAN_GOES, postgres)
    try:
        with _slow([node.pid(ASTERISK) for node in fleet.nodes]):
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
    return rate


@contextmanager
def _slow(pids: Sequence[int]) -> Iterator[None]:
    """Give each of the processes no more than its part of a core."""
    with ExitStack() as stack:
        for pid in pids:
            command = ["cpulimit", f"--pid={pid}", f"--limit={PERCENT_OF_A_CORE}"]
            stack.callback(_end, subprocess.Popen(command, stdout=subprocess.DEVNULL))
        yield


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # has what it limits go on
    process.wait()


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

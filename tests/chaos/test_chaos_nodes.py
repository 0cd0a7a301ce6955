"""Two nodes on one PostgreSQL, each with its own Asterisk."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from statistics import linear_regression

import pytest
import pytest_asyncio

from bridge.lab.telephones import PhoneCall
from tests.chaos import faults
from tests.chaos.fleet import Fleet, start_fleet, stop_fleet
from tests.chaos.trial import IS_LONG, SIZE, Size, trial
from tests.postgres import running_postgres

pytestmark = [pytest.mark.alone, pytest.mark.asyncio(loop_scope="module")]

CALLS_PER_SECOND = 20.0 if IS_LONG else 10.0
UNHURT = Size(messages=1000 if IS_LONG else 100, per_second=500, retries=0, waits_for_retries=True)

IN_TURN = {
    "daemon killed": [faults.daemon_killed] * SIZE.harms,
    "asterisk killed": [faults.asterisk_killed] * SIZE.harms,
    "AMI link cut or stalled": [faults.link_cut, faults.link_stalled] * (SIZE.harms // 2),
    "PostgreSQL restarted": [faults.postgres_restarted] * SIZE.harms,
    "a node dies and returns": [faults.both_killed],
    "a node dies": [faults.node_dies],
}
IN_SHORT = {"PostgreSQL, a node, a daemon": [faults.postgres_restarted, faults.both_killed, faults.daemon_killed]}
TRIALS = IN_TURN if IS_LONG else IN_SHORT


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    with running_postgres(durable=True) as postgres:
        folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
        fleet = await start_fleet(
            folders, {"VOICEBRIDGE_TRUNK_CALLS_PER_SECOND": str(CALLS_PER_SECOND)}, postgres=postgres
        )
        yield fleet
        await stop_fleet(fleet)


async def test_the_work_is_shared_and_the_pace_of_the_trunk_holds_over_both(fleet: Fleet) -> None:
    """Four clients pull meanwhile, and no answer gets lost: each report arrives exactly once."""
    evidence = await trial("nothing hurt", fleet, [], UNHURT)
    calls = sorted((call for [call] in evidence.phone_calls.values()), key=lambda call: call.started)
    assert evidence.application.broken_pulls == 0
    shares = Counter(call.caller_id for call in calls)
    pace = _pace(calls)
    print(f"calls of each node: {dict(shares)}; {pace:.2f} calls a second where {CALLS_PER_SECOND:.0f} may be begun")
    assert all(0.4 <= shares[node.caller_id] / len(calls) <= 0.6 for node in fleet.nodes)
    assert pace == pytest.approx(CALLS_PER_SECOND, rel=0.05)


@pytest.mark.parametrize("name", TRIALS)
async def test_every_message_is_reported_once_and_no_telephone_called_in_vain(name: str, fleet: Fleet) -> None:
    await trial(name, fleet, TRIALS[name])
    for node in fleet.nodes:
        await node.up()


def _pace(calls: Sequence[PhoneCall]) -> float:
    """Calls a second: how steep the line is that fits their beginnings best, whichever of them was late."""
    begins = [call.started.timestamp() for call in calls]
    return 1 / linear_regression(range(len(begins)), begins).slope

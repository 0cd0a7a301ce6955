"""One node with SQLite: whatever is killed, every message is called as often as it may be and reported once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos import faults
from tests.chaos.fleet import Fleet, start_fleet, stop_fleet
from tests.chaos.trial import IS_LONG, SIZE, trial

pytestmark = [pytest.mark.alone, pytest.mark.asyncio(loop_scope="module")]

IN_TURN = {
    "daemon killed": [faults.daemon_killed] * SIZE.harms,
    "asterisk killed": [faults.asterisk_killed] * SIZE.harms,
    "daemon and asterisk killed": [faults.both_killed] * SIZE.harms,
    "AMI link cut": [faults.link_cut] * SIZE.harms,
    "AMI link stalled": [faults.link_stalled] * SIZE.harms,
    "AMI link half open": [faults.link_half_open] * SIZE.harms,
    "disk full": [faults.disk_full] * SIZE.harms,
    "speech engines killed and frozen": [faults.engines_killed, faults.engines_frozen] * (SIZE.harms // 2),
    "audio host down and slow": [faults.audio_host_down, faults.audio_host_slow] * (SIZE.harms // 2),
    "webhook down and slow": [faults.webhook_down, faults.webhook_slow] * (SIZE.harms // 2),
}
IN_SHORT = {
    "daemon killed": [faults.daemon_killed] * SIZE.harms,
    "everything else": [
        faults.asterisk_killed,
        faults.link_cut,
        faults.disk_full,
        faults.engines_killed,
        faults.link_half_open,
        faults.audio_host_down,
        faults.webhook_slow,
    ],
}
TRIALS = IN_TURN if IS_LONG else IN_SHORT


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    fleet = await start_fleet([tmp_path_factory.mktemp("one")])
    yield fleet
    await stop_fleet(fleet)


@pytest.mark.parametrize("name", TRIALS)
async def test_every_message_is_reported_once_and_no_telephone_called_in_vain(name: str, fleet: Fleet) -> None:
    await trial(name, fleet, TRIALS[name])

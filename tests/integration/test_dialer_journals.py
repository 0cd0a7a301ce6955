"""With several Asterisks, what one of them wrote down says nothing about another one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.messages.message import Content
from bridge.messages.progress import State
from bridge.telephony.events import Origination
from tests.integration.attempt_desk import LONG_AGO, Desk, eventually, progress_of
from tests.integration.dialer_node import telephones_of

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.asterisk.configuration import AsteriskSettings
    from tests.integration.conftest import RunAsterisk, RunningAsterisk, Telephones

BUSY, LISTENS_FOR_A_SECOND = "99901", "99909"


async def test_nobody_is_called_again_because_another_asterisk_keeps_its_journal(
    asterisk: RunningAsterisk,
    run_asterisk: RunAsterisk,
    new_settings: AsteriskSettings,
    telephones: Telephones,
    tmp_path: Path,
) -> None:
    """A call is answered and over while no daemon is there, on an Asterisk that cannot write."""
    url, journal = f"sqlite:///{tmp_path / 'test.db'}", Journal(tmp_path / "journal")
    (busy,), (number,) = telephones_of(BUSY, 1), telephones_of(LISTENS_FOR_A_SECOND, 1)
    with run_asterisk(new_settings) as mute:
        await asyncio.to_thread(mute.wait_for_console, "pjsip show contacts", "Avail")
        good = Desk([asterisk.url], url, tmp_path)
        process = await good.start(recovers=False)
        await process.runner.run(await good.claimed(process, busy, Content(text="Hello"), ago=LONG_AGO))
        assert await journal.is_kept(process.links[0].name, datetime.now(UTC))
        await process.die()

        both = Desk([mute.url, asterisk.url], url, tmp_path)
        first = await both.start(recovers=False)
        journal.file(first.links[0].name, datetime.now(UTC)).symlink_to("/dev/full")
        claim = await both.claimed(first, number, Content(text="Hello"))
        await Switchboard(first.links[0], journal).place(Origination(claim.attempt.channel_id, number, "trunk"))
        await first.die()
        assert (await telephones.only_call(number)).answered

        second = await both.start()
        progress = await eventually(lambda: progress_of(second, number), lambda it: it.state is not State.DIALLING)
        assert (progress.state, progress.status_id, progress.error_id) == (State.DONE, 22, 5500)
        await second.die()
    assert len(telephones.calls(number)) == 1

"""An Asterisk that is being stopped gracefully takes no orders; its calls go on, also when the stop is aborted."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING

import pytest

from bridge.asterisk.channel.channel import AsteriskChannel
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.messages.message import Content
from bridge.messages.progress import State
from bridge.telephony.events import Answered, CallEvent, Ended, Origination, PlaybackEnded, Ready, Ringing
from tests.integration.attempt_desk import Desk, eventually, progress_of
from tests.integration.conftest import until
from tests.integration.dialer_node import telephones_of
from tests.integration.test_asterisk_operations import heard_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Telephones
    from tests.integration.mortal import Mortal

LISTENS, RINGS_FOR_5_SECONDS, RINGS_FOR_20_SECONDS = "99900", "999305", "999320"


@pytest.fixture
def switchboard(mortal: Mortal, journal: Journal) -> Switchboard:
    return Switchboard(mortal.link, journal)


async def placed(switchboard: Switchboard, kind: str, until_it: type[CallEvent]) -> AsteriskChannel:
    """A call of which so much was told."""
    (number,) = telephones_of(kind, 1)
    call = await switchboard.place(Origination(secrets.token_hex(8), number, "trunk", ring_timeout=60))
    await heard_until(call, until_it)
    return call


async def test_a_call_is_hung_up_after_an_aborted_stop_without_asking_all_the_time(
    mortal: Mortal, switchboard: Switchboard
) -> None:
    log = mortal.asterisk.settings.state_dir / "log" / "messages.log"
    call = await placed(switchboard, LISTENS, Ready)
    async with mortal.being_stopped():
        began = time.monotonic()
        hanging_up = asyncio.create_task(call.hang_up())
        await asyncio.to_thread(until, lambda: log.read_text().count("'Hangup'. Asterisk is shutting down") >= 6)
        assert time.monotonic() - began > 1.5
        await mortal.stop_no_more()
        ended = await heard_until(call, Ended)
        assert (ended.cause, ended.by) == (16, "caller")
        await hanging_up


async def test_a_call_that_could_not_be_given_up_goes_on_after_an_aborted_stop(
    mortal: Mortal, switchboard: Switchboard
) -> None:
    call = await placed(switchboard, RINGS_FOR_5_SECONDS, Ringing)
    async with mortal.being_stopped():
        giving_up = asyncio.create_task(call.give_up())
        await mortal.stop_no_more()
        await heard_until(call, Answered)
        await giving_up
        assert not call.given_up
        await call.hang_up()
        await heard_until(call, Ended)


async def test_what_asterisk_does_not_play_is_not_said_to_have_begun(
    mortal: Mortal, switchboard: Switchboard, speech: Path
) -> None:
    begun: list[str] = []
    call = await placed(switchboard, LISTENS, Ready)
    async with mortal.being_stopped():
        await call.play(str(speech), begun=lambda: begun.append("while it is being stopped"))
        assert not (await heard_until(call, PlaybackEnded)).complete
        await mortal.stop_no_more()
        await call.play(str(speech), begun=lambda: begun.append("afterwards"))
        assert (await heard_until(call, PlaybackEnded)).complete
        assert begun == ["afterwards"]
        await call.hang_up()
        await heard_until(call, Ended)


async def test_a_message_that_asterisk_does_not_play_is_not_reported_as_spoken(
    mortal: Mortal, telephones: Telephones, tmp_path: Path
) -> None:
    (number,) = telephones_of(RINGS_FOR_20_SECONDS, 1)
    desk = Desk([mortal.asterisk.url], f"sqlite:///{tmp_path / 'test.db'}", tmp_path)
    process = await desk.start(recovers=False)

    async def is_in(state: State) -> bool:
        return (await progress_of(process, number)).state is state

    process.run(await desk.claimed(process, number, Content(text="Hello")))
    await eventually(lambda: is_in(State.RINGING))
    async with mortal.being_stopped():
        await eventually(lambda: is_in(State.IN_PROGRESS), seconds=60)
        await mortal.stop_no_more()
        await eventually(lambda: is_in(State.DONE))
        (attempt,) = await process.store.messages.attempts("acme", number)
        assert (attempt.status_id, attempt.hung_up_by, attempt.spoken) == (5, "caller", [])
    await process.die()

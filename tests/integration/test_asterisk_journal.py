"""What Asterisk writes down of a call by itself, against what was seen of it live."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import structlog
from structlog.testing import capture_logs

from bridge.asterisk.channel.channel import AsteriskChannel
from bridge.asterisk.configuration import Trunk
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.lab.processes import until
from bridge.telephony.events import (
    Answered,
    CallEvent,
    Ended,
    Origination,
    Ready,
    Ringing,
    TransferAnswered,
    TransferOrder,
    TransferOver,
)
from bridge.telephony.records import Record

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.asterisk.ami.link import AmiLink
    from bridge.asterisk.configuration import AsteriskSettings
    from tests.integration.conftest import OpenLink, RunAsterisk


def to(number: str, ring_timeout: int = 8, record_to: Path | None = None) -> Origination:
    return Origination(
        secrets.token_hex(8),
        number,
        "trunk",
        ring_timeout=ring_timeout,
        record_to=None if record_to is None else str(record_to),
    )


def own(prefix: str) -> str:
    """A telephone that no other test calls."""
    return prefix + str(secrets.randbelow(10**6)).zfill(6)


async def told(call: AsteriskChannel, seconds: float = 20) -> AsyncIterator[CallEvent]:
    async with asyncio.timeout(seconds):
        async for event in call.events():
            yield event


async def only_record(journal: Journal, call: AsteriskChannel) -> Record:
    records = await journal.read([call.id])
    return records[call.id]


def agrees(record: Record, events: list[CallEvent]) -> bool:
    """Whether the journal says of the end what was seen of it."""
    assert record.ended
    (ended,) = (event for event in events if isinstance(event, Ended))
    kinds = [type(event) for event in events]
    return (
        replace(record.ended, at=ended.at) == ended
        and abs((record.ended.at - ended.at).total_seconds()) < 0.5
        and record.rang == (Ringing in kinds)
        and (record.answered_at is not None) == (Answered in kinds)
    )


@pytest.fixture
def switchboard(link: AmiLink, journal: Journal) -> Switchboard:
    return Switchboard(link, journal)


@pytest.mark.parametrize("prefix", ["99901", "99902", "99903", "99904", "99905", "99906", "99909"])
async def test_the_journal_says_how_a_call_ended_that_the_network_or_the_callee_ended(
    switchboard: Switchboard, journal: Journal, prefix: str
) -> None:
    began = datetime.now(UTC)
    call = await switchboard.place(to(own(prefix), ring_timeout=2))
    events = [event async for event in told(call)]
    record = await only_record(journal, call)
    assert agrees(record, events), (record, events)
    assert abs((record.dialled_at - began).total_seconds()) < 0.5
    for event in events:
        if isinstance(event, Answered):
            assert record.answered_at
            assert abs((record.answered_at - event.at).total_seconds()) < 0.3


@pytest.mark.parametrize("moment", [Ringing, Ready])
async def test_the_journal_says_that_we_ended_a_call(
    switchboard: Switchboard, journal: Journal, moment: type[CallEvent]
) -> None:
    call = await switchboard.place(to(own("99900")))
    events = []
    async for event in told(call):
        events.append(event)
        if isinstance(event, moment):
            await call.hang_up()
    record = await only_record(journal, call)
    assert agrees(record, events), (record, events)
    assert record.ended
    assert record.ended.by == "caller"
    assert not record.ended.timed_out


async def test_a_recording_and_a_transfer_leave_the_journal_of_the_call_as_it_is(
    switchboard: Switchboard, journal: Journal, tmp_path: Path
) -> None:
    """The other side's leg is not ours, also when it leaves first; then the callee hangs up."""
    call = await switchboard.place(to("9990907", record_to=tmp_path / "call.wav"))
    agent = own("99909")
    kinds = []
    async for event in told(call):
        kinds.append(type(event))
        if isinstance(event, Ready):
            await call.transfer(TransferOrder((agent,), ring_seconds=5, max_seconds=5))
    assert TransferAnswered in kinds
    assert TransferOver not in kinds  # the callee left before the other side did
    record = await only_record(journal, call)
    assert record.ended
    assert record.ended.by == "callee"
    assert journal.file(switchboard.name, datetime.now(UTC)).read_text().count("\n") == 3


async def test_who_ended_a_call_is_known_also_after_a_transfer_that_the_other_side_left(
    switchboard: Switchboard, journal: Journal
) -> None:
    call = await switchboard.place(to(own("99900")))
    async for event in told(call):
        if isinstance(event, Ready):
            await call.transfer(TransferOrder((own("99909"),), ring_seconds=5, max_seconds=5))
        if isinstance(event, TransferOver):
            await call.hang_up()
    record = await only_record(journal, call)
    assert record.ended
    assert record.ended.by == "caller"


async def test_the_first_line_is_on_the_disk_when_the_invite_leaves(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink, journal: Journal
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as network:
        network.bind(("127.0.0.1", 0))
        network.settimeout(20)
        trunk = Trunk("trunk", f"sip:127.0.0.1:{network.getsockname()[1]}")
        with run_asterisk(replace(new_settings, trunks=(trunk,))) as asterisk:
            link = await open_link(asterisk.url)
            await link.wait_connected()
            call = await Switchboard(link, journal).place(to("99900"))
            while not (await asyncio.to_thread(network.recv, 65536)).startswith(b"INVITE"):
                pass
            assert "dialling" in journal.file(link.name, datetime.now(UTC)).read_text()
            record = await only_record(journal, call)
            assert (record.answered_at, record.ended) == (None, None)
            await call.hang_up()


async def test_a_call_goes_on_without_a_journal_and_asterisk_says_why(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink, tmp_path: Path
) -> None:
    """The daemon says it too."""
    structlog.reset_defaults()
    journal = Journal(tmp_path / "missing")
    with run_asterisk(new_settings) as asterisk:
        asterisk.wait_for_console("pjsip show contacts", "Avail")
        link = await open_link(asterisk.url)
        await link.wait_connected()
        call = await Switchboard(link, journal).place(to(own("99909")))
        with capture_logs() as logs:
            assert [type(event) async for event in told(call)] == [Ringing, Answered, Ready, Ended]
            await asyncio.to_thread(until, lambda: bool(logs), 5)
        assert [(log["event"], log["file"]) for log in logs] == [
            ("journal_not_kept", str(journal.file(link.name, datetime.now(UTC))))
        ]
        assert await journal.read([call.id]) == {}
        log = (new_settings.state_dir / "log" / "messages.log").read_text()
        assert f"Unable to open '{journal.file(link.name, datetime.now(UTC))}' for appending" in log


async def test_a_call_goes_on_when_the_disk_of_the_journal_is_full(switchboard: Switchboard, journal: Journal) -> None:
    journal.file(switchboard.name, datetime.now(UTC)).symlink_to("/dev/full")
    call = await switchboard.place(to(own("99909")))
    assert [type(event) async for event in told(call)] == [Ringing, Answered, Ready, Ended]


async def test_an_asterisk_that_is_killed_leaves_what_it_knew_and_the_call_ends_with_it(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink, journal: Journal
) -> None:
    with run_asterisk(new_settings) as asterisk:
        asterisk.wait_for_console("pjsip show contacts", "Avail")
        link = await open_link(asterisk.url)
        switchboard = Switchboard(link, journal)
        await link.wait_connected()
        calls = [await switchboard.place(to(own(prefix))) for prefix in ("99900", "99902")]
        for call, moment in zip(calls, (Ready, Ringing), strict=True):
            async for event in told(call):
                if isinstance(event, moment):
                    break
        asterisk.kill()
    records = await journal.read([call.id for call in calls])
    assert [records[call.id].answered_at is not None for call in calls] == [True, False]
    assert [records[call.id].ended for call in calls] == [None, None]
    with run_asterisk(new_settings):
        await link.wait_connected()
        for call in calls:
            (ended,) = [event async for event in told(call, seconds=3)]
            assert isinstance(ended, Ended)
            assert ended.lost
        assert switchboard.live_calls == 0


async def test_a_call_ends_soon_after_its_limit_when_its_asterisk_never_comes_back(
    run_asterisk: RunAsterisk,
    new_settings: AsteriskSettings,
    open_link: OpenLink,
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.asterisk.switchboard._OVERDUE_SECONDS", 1)
    with run_asterisk(new_settings) as asterisk:
        asterisk.wait_for_console("pjsip show contacts", "Avail")
        link = await open_link(asterisk.url)
        switchboard = Switchboard(link, journal)
        await link.wait_connected()
        call = await switchboard.place(replace(to(own("99900"), ring_timeout=2), call_timeout=3))
        kinds = []
        async for event in told(call, seconds=8):
            kinds.append(type(event))
            if isinstance(event, Ready):
                asterisk.kill()
        assert not link.connected
    assert kinds == [Ringing, Answered, Ready, Ended]
    assert isinstance(event, Ended)
    assert event.lost
    assert switchboard.live_calls == 0

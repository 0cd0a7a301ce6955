"""A journal that cannot be read or written: calls go on and come to an end, and none counts as never dialled."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, cast

import pytest
import structlog
from structlog.testing import capture_logs

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.channel.channel import AsteriskChannel
from bridge.asterisk.configuration import Trunk
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.messages.message import Content
from bridge.messages.progress import State
from bridge.telephony.events import Answered, CallEvent, Ended, Origination, Ready, Ringing
from tests.integration.attempt_desk import LONG_AGO, Desk, eventually, progress_of

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.asterisk.configuration import AsteriskSettings
    from tests.integration.conftest import AmiProxy, OpenLink, RunAsterisk, RunningAsterisk, Telephones

Logs = list[Any]


def to(number: str, trunk: str = "trunk") -> Origination:
    return Origination(secrets.token_hex(8), number, trunk, ring_timeout=30)


def own(prefix: str) -> str:
    """A telephone that no other test calls."""
    return prefix + str(secrets.randbelow(10**6)).zfill(6)


def make_unreadable(journal: Journal, asterisk: str) -> None:
    """As for whoever lacks the right to read it: it can be seen to be there, and to have something in it."""
    file = journal.file(asterisk, datetime.now(UTC))
    file.unlink(missing_ok=True)
    file.mkdir()
    (file / "something").touch()


async def kinds_until(call: AsteriskChannel, last: type[CallEvent]) -> list[type[CallEvent]]:
    kinds: list[type[CallEvent]] = []
    async with asyncio.timeout(30):
        async for event in call.events():
            kinds.append(type(event))
            if isinstance(event, last):
                break
    return kinds


async def end_of(call: AsteriskChannel) -> Ended:
    async with asyncio.timeout(30):
        events = [event async for event in call.events()]
    assert isinstance(events[-1], Ended)
    return events[-1]


async def until_logged(logs: Logs, event: str) -> None:
    async def is_logged() -> bool:
        return any(line["event"] == event and line["log_level"] == "error" for line in logs)

    await eventually(is_logged)


@pytest.fixture
def logs() -> Iterator[Logs]:
    structlog.reset_defaults()
    with capture_logs() as logs:
        yield logs


@pytest.fixture
def switchboard(link: AmiLink, journal: Journal) -> Switchboard:
    return Switchboard(link, journal)


async def test_a_journal_that_cannot_be_read_back_is_told(
    switchboard: Switchboard, journal: Journal, logs: Logs
) -> None:
    make_unreadable(journal, switchboard.name)
    await end_of(await switchboard.place(to(own("99901"))))
    await until_logged(logs, "journal_unreadable")
    await until_logged(logs, "journal_not_kept")


async def test_a_fault_in_the_background_is_told(
    switchboard: Switchboard, journal: Journal, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> NoReturn:
        raise ZeroDivisionError

    monkeypatch.setattr(journal, "read", fail)
    await end_of(await switchboard.place(to(own("99901"))))
    await until_logged(logs, "switchboard_failed")


async def test_after_a_cut_what_lives_goes_on_and_what_is_gone_ends_as_lost(
    proxy: AmiProxy,
    open_link: OpenLink,
    journal: Journal,
    telephones: Telephones,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is gone waits for a journal that can be read, as long as it could have lasted."""
    monkeypatch.setattr("bridge.asterisk.switchboard._OVERDUE_SECONDS", 1)
    link = await open_link(proxy.url)
    await link.wait_connected()
    switchboard = Switchboard(link, journal)
    answers_later, leaves_soon = to(own("999303")), replace(to(own("99909")), ring_timeout=10, call_timeout=5)
    living, gone = await switchboard.place(answers_later), await switchboard.place(leaves_soon)
    assert await kinds_until(living, Ringing) == [Ringing]
    await kinds_until(gone, Ready)
    proxy.refusing = True
    proxy.cut()
    await telephones.answered(answers_later.number)
    await telephones.only_call(leaves_soon.number)
    make_unreadable(journal, switchboard.name)
    proxy.refusing = False
    assert await kinds_until(living, Ready) == [Answered, Ready]
    assert (await end_of(gone)).lost
    assert (datetime.now(UTC) - gone.placed_at).total_seconds() > 15
    await living.hang_up()
    assert not (await end_of(living)).lost


async def test_after_a_crash_what_rings_is_followed_and_what_is_gone_is_unknown(
    asterisk: RunningAsterisk, telephones: Telephones, tmp_path: Path
) -> None:
    desk, journal = Desk([asterisk.url], f"sqlite:///{tmp_path / 'test.db'}", tmp_path), Journal(tmp_path / "journal")
    busy, rings = own("99901"), own("99902")
    first = await desk.start(recovers=False)
    claims = [
        await desk.claimed(first, number, Content(text="Hello", ring_timeout=60), ago=LONG_AGO)
        for number in (busy, rings)
    ]
    switchboard = Switchboard(first.links[0], journal)
    calls = [
        await switchboard.place(Origination(claim.attempt.channel_id, claim.attempt.to, "trunk", ring_timeout=60))
        for claim in claims
    ]
    await end_of(calls[0])
    await kinds_until(calls[1], Ringing)
    await first.die()
    make_unreadable(journal, switchboard.name)

    second = await desk.start()
    progress = await eventually(lambda: progress_of(second, busy), lambda now: now.state is State.DONE)
    assert (progress.status_id, progress.error_id) == (22, 5500)
    await eventually(lambda: progress_of(second, rings), lambda now: now.state is State.RINGING)
    await second.runner.hang_up_all()
    progress = await eventually(lambda: progress_of(second, rings), lambda now: now.state is State.DONE)
    assert (progress.status_id, progress.error_id) == (15, 5003)
    await second.die()
    await telephones.only_call(busy)
    await telephones.only_call(rings)


async def test_a_call_of_which_nothing_can_be_read_counts_as_dialled(
    switchboard: Switchboard, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.asterisk.switchboard._VERY_LATE_SECONDS", 0)
    make_unreadable(journal, switchboard.name)
    ended = await end_of(await switchboard.place(to(own("99900"), "nowhere")))
    assert (ended.dialled, ended.lost, ended.cause) == (True, False, 38)


class BusyPhone(asyncio.DatagramProtocol):
    """Says nothing to an INVITE until it is told to say that it is busy."""

    def __init__(self) -> None:
        self._invites: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, sender: Any) -> None:
        if data.startswith(b"INVITE"):
            self._invites.put_nowait((data.decode(), sender))

    async def invited(self) -> tuple[str, Any]:
        async with asyncio.timeout(30):
            return await self._invites.get()

    def say_busy(self, invite: str, sender: Any) -> None:
        kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq): .*$", invite.replace("\r", ""), re.MULTILINE)
        lines = ["SIP/2.0 486 Busy Here", *(f"{line};tag=1" if line[:2] == "To" else line for line in kept)]
        self._transport.sendto("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode(), sender)


@pytest.fixture
async def busy_phone() -> AsyncIterator[tuple[BusyPhone, int]]:
    transport, phone = await asyncio.get_running_loop().create_datagram_endpoint(
        BusyPhone, ("127.0.0.1", 0), family=socket.AF_INET
    )
    yield phone, transport.get_extra_info("sockname")[1]
    transport.close()


async def test_a_hangup_that_comes_late_ends_a_dialled_call_where_nothing_can_be_written(
    run_asterisk: RunAsterisk,
    new_settings: AsteriskSettings,
    open_link: OpenLink,
    busy_phone: tuple[BusyPhone, int],
    tmp_path: Path,
) -> None:
    """Under load it comes more than a second behind the Originate's failure, which is told here ahead of it."""
    phone, port = busy_phone
    with run_asterisk(replace(new_settings, trunks=(Trunk("trunk", f"sip:127.0.0.1:{port}"),))) as asterisk:
        link = await open_link(asterisk.url)
        await link.wait_connected()
        switchboard = Switchboard(link, Journal(tmp_path / "missing"))
        call = await switchboard.place(to("99900"))
        invite, sender = await phone.invited()
        switchboard._take({"Event": "OriginateResponse", "Response": "Failure", "Reason": "0", "Uniqueid": call.id})
        failed_at = time.monotonic()

        async def is_late() -> bool:
            return time.monotonic() - failed_at > 1.5

        await eventually(is_late)
        phone.say_busy(invite, sender)
        ended = await end_of(call)
    assert (ended.dialled, ended.sip_status) == (True, 486)

"""A trunk that does not take a call is followed by the next one; a telephone that may have rung is not called again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from bridge.asterisk.configuration import Trunk
from bridge.calls import attempt as live_attempt
from bridge.messages.attempt import Attempt, Leg
from bridge.messages.message import Content
from bridge.messages.routes import Routes
from tests.integration.attempt_desk import Desk, Process, eventually, only_report
from tests.integration.conftest import running_asterisk, running_proxy, until
from tests.integration.dialer_node import telephones_of

if TYPE_CHECKING:
    from bridge.asterisk.configuration import AsteriskSettings
    from bridge.lab.programs import Program
    from tests.integration.conftest import Telephones

Says = tuple[list[tuple[float, str]], list[str]]

LISTENS = "99900"
EARLY_MEDIA = "183 Session Progress"
PATIENCE_SECONDS = 2.0


@dataclass
class TroubledTrunk(asyncio.DatagramProtocol):
    """Says ``statuses`` to each INVITE, each so many seconds after the one before, and ``to_cancel`` to its CANCEL."""

    statuses: list[tuple[float, str]] = field(default_factory=list)
    to_cancel: list[str] = field(default_factory=lambda: ["487 Request Terminated"])
    invited: set[str] = field(default_factory=set)
    invite: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    bridge: tuple[str, int] = ("", 0)

    transport: asyncio.DatagramTransport = field(init=False)

    def refuse(self) -> None:
        """Refuse the call now."""
        self._say("503 Service Unavailable", self.invite, self.bridge)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        first, *lines = data.decode().split("\r\n")
        echoed = [line for line in lines if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:"))]
        echoed.append(next(f"{line};tag=1" for line in lines if line.startswith("To:")))
        call_id = next(line for line in lines if line.startswith("Call-ID:"))
        match first.split()[0]:
            case "INVITE" if call_id not in self.invited:
                self.invited.add(call_id)
                self.invite, self.bridge = echoed, address
                at = asyncio.get_running_loop().time()
                for seconds, status in self.statuses:
                    at += seconds
                    asyncio.get_running_loop().call_at(at, self._say, status, echoed, address)
            case "CANCEL":
                self._say("200 OK", echoed, address)
                for status in self.to_cancel:
                    self._say(status, self.invite, address)
            case "OPTIONS":
                self._say("200 OK", echoed, address)

    def _say(self, status: str, echoed: list[str], address: tuple[str, int]) -> None:
        self.said.append(status)
        lines = [f"SIP/2.0 {status}", *echoed, "Contact: <sip:trunk@127.0.0.1>", "Content-Length: 0", "", ""]
        self.transport.sendto("\r\n".join(lines).encode(), address)


@pytest.fixture
async def troubled(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TroubledTrunk]:
    """It is waited for less long than usual."""
    monkeypatch.setattr(live_attempt, "FAILOVER_SECONDS", PATIENCE_SECONDS)
    loop = asyncio.get_running_loop()
    transport, trunk = await loop.create_datagram_endpoint(TroubledTrunk, local_addr=("127.0.0.1", 0))
    trunk.transport = transport
    yield trunk
    transport.close()


@pytest.fixture
async def desk(
    program: Program,
    new_settings: AsteriskSettings,
    telephones: Telephones,
    troubled: TroubledTrunk,
    tmp_path: Path,
) -> AsyncIterator[Desk]:
    """The troubled trunk leads everywhere, and so does the lab's carrier."""
    port = troubled.transport.get_extra_info("sockname")[1]
    carrier = f"sip:127.0.0.1:{telephones.carrier.sip_port}"
    settings = replace(new_settings, trunks=[Trunk("first", f"sip:127.0.0.1:{port}"), Trunk("second", carrier)])
    with ExitStack() as stack:
        # The troubled trunk has to answer meanwhile that it is there.
        asterisk = await asyncio.to_thread(stack.enter_context, running_asterisk(program, settings))
        await asyncio.to_thread(until, lambda: asterisk.console("pjsip show contacts").count("Avail") == 2, 60)
        url = f"sqlite:///{tmp_path / 'test.db'}"
        desk = Desk([asterisk.url], url, tmp_path, Routes([("", "first"), ("", "second")]))
        yield desk
        await desk.processes[-1].die()


async def begun(desk: Desk, ring_timeout: int) -> Process:
    """A process that calls a telephone of its own."""
    (number,) = telephones_of(LISTENS, 1)
    process = await desk.start(recovers=False)
    process.run(await desk.claimed(process, number, Content(text="Hello", ring_timeout=ring_timeout)))
    return process


async def called(desk: Desk, ring_timeout: int) -> Attempt:
    """The only attempt of a message, when it is over."""
    process = await begun(desk, ring_timeout)
    await asyncio.gather(*process.calls)
    return await only_attempt(process)


async def only_attempt(process: Process) -> Attempt:
    """That of the only message, which is over, as it is reported."""
    report = await only_report(process)
    (attempt,) = await process.store.messages.attempts("acme", report.message.id)
    assert report.status_id == attempt.status_id
    return attempt


@pytest.mark.parametrize("statuses", [[(0, "503 Service Unavailable")], [(0, "100 Trying")], []])
async def test_what_a_trunk_does_not_take_the_next_one_takes(
    desk: Desk, troubled: TroubledTrunk, telephones: Telephones, statuses: list[tuple[float, str]]
) -> None:
    """It refuses, it is stuck, or it is not there at all."""
    troubled.statuses = statuses
    attempt = await called(desk, ring_timeout=10)
    assert (attempt.status_id, attempt.trunk) == (5, "second")
    (leg,) = attempt.refused
    assert (leg.trunk, leg.sip_status) == ("first", 503 if "503" in str(statuses) else None)
    assert leg.dialled_at < leg.ended_at <= attempt.dialled_at
    assert len(troubled.invited) == 1
    await telephones.only_call(attempt.to)


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        (([(0, "486 Busy Here")], []), (15, 5002)),
        (([(0, "180 Ringing"), (0.5, "503 Service Unavailable")], []), (15, 5503)),
        (([(0, "180 Ringing")], ["487 Request Terminated"]), (15, 5003)),
        (([(0, EARLY_MEDIA)], ["487 Request Terminated"]), (15, 5003)),
    ],
    ids=["busy", "rang and failed", "rings", "rings in early media"],
)
async def test_a_telephone_that_may_have_rung_is_not_called_by_another_trunk(
    desk: Desk, troubled: TroubledTrunk, telephones: Telephones, says: Says, outcome: tuple[int, int]
) -> None:
    troubled.statuses, troubled.to_cancel = says
    attempt = await called(desk, ring_timeout=4)
    assert (attempt.status_id, attempt.error_id) == outcome
    assert (attempt.trunk, attempt.refused) == ("first", [])
    assert telephones.calls(attempt.to) == []


async def test_a_telephone_that_may_have_rung_while_no_process_was_there_is_not_called_by_another_trunk(
    desk: Desk, troubled: TroubledTrunk, telephones: Telephones
) -> None:
    """Early media is told when it begins, and never again; the call is adopted long before its time is over."""
    troubled.statuses = [(2.2, EARLY_MEDIA)]
    first = await begun(desk, ring_timeout=8)
    await eventually(lambda: asyncio.sleep(0, troubled.invited))
    await first.die()
    await eventually(lambda: asyncio.sleep(0, EARLY_MEDIA in troubled.said))
    second = await desk.start()
    await eventually(lambda: asyncio.sleep(0, second.settled))
    attempt = await only_attempt(second)
    assert (attempt.status_id, attempt.error_id, attempt.trunk) == (15, 5003, "first")
    assert telephones.calls(attempt.to) == []


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ([(0.5, EARLY_MEDIA)], (15, 5003)),
        ([(0.5, EARLY_MEDIA), (0.5, "503 Service Unavailable")], (15, 5503)),
        ([(PATIENCE_SECONDS + 0.5, EARLY_MEDIA)], (15, 5003)),
    ],
    ids=["rings", "rang and failed", "rings when patience was over"],
)
async def test_a_telephone_that_may_have_rung_while_there_was_no_link_is_not_called_by_another_trunk(
    desk: Desk,
    troubled: TroubledTrunk,
    telephones: Telephones,
    statuses: list[tuple[float, str]],
    outcome: tuple[int, int],
) -> None:
    troubled.statuses = statuses
    async with running_proxy(urlsplit(desk.urls[0]).port or 0) as proxy:
        desk.urls = [proxy.url]
        process = await begun(desk, ring_timeout=5)
        await eventually(lambda: asyncio.sleep(0, troubled.invited))
        proxy.refusing = True
        proxy.cut()
        await eventually(lambda: asyncio.sleep(0, statuses[-1][1] in troubled.said))
        proxy.refusing = False
        await asyncio.gather(*process.calls)
        attempt = await only_attempt(process)
        assert (attempt.status_id, attempt.error_id) == outcome
        assert (attempt.trunk, attempt.refused) == ("first", [])
        assert telephones.calls(attempt.to) == []
        assert attempt.ended_at
        assert outcome != (15, 5003) or (attempt.ended_at - attempt.dialled_at).total_seconds() > 4.9


@pytest.mark.parametrize("statuses", [[(0, "100 Trying")], []], ids=["stuck", "not there"])
async def test_a_trunk_that_has_said_nothing_when_there_is_a_link_again_is_left(
    desk: Desk, troubled: TroubledTrunk, telephones: Telephones, statuses: list[tuple[float, str]]
) -> None:
    troubled.statuses = statuses
    async with running_proxy(urlsplit(desk.urls[0]).port or 0) as proxy:
        desk.urls = [proxy.url]
        process = await begun(desk, ring_timeout=8)
        await eventually(lambda: asyncio.sleep(0, troubled.invited))
        proxy.cut()
        await asyncio.gather(*process.calls)
        assert proxy.connections == 2
        await goes_on_over_the_second(process, troubled, telephones)


async def test_a_trunk_that_refuses_an_adopted_call_is_left(
    desk: Desk, troubled: TroubledTrunk, telephones: Telephones, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_attempt, "FAILOVER_SECONDS", 60)
    troubled.statuses = [(0, "100 Trying")]
    first = await begun(desk, ring_timeout=60)
    await eventually(lambda: asyncio.sleep(0, "100 Trying" in troubled.said))
    await first.die()
    second = await desk.start()
    await eventually(lambda: asyncio.sleep(0, second.runner.under_way))
    troubled.refuse()
    await eventually(lambda: asyncio.sleep(0, second.settled))
    leg = await goes_on_over_the_second(second, troubled, telephones)
    assert leg.sip_status == 503


async def goes_on_over_the_second(process: Process, troubled: TroubledTrunk, telephones: Telephones) -> Leg:
    """The leg that the troubled trunk did not take; each trunk was asked once."""
    attempt = await only_attempt(process)
    assert (attempt.status_id, attempt.trunk) == (5, "second")
    (leg,) = attempt.refused
    assert leg.trunk == "first"
    assert len(troubled.invited) == 1
    await telephones.only_call(attempt.to)
    return leg

"""What is known of the trunks, on real Asterisks: whether they answer, and whether Asterisk is registered there."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.configuration import Account, AsteriskSettings, Registration, Trunk
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.asterisk.trunks import TrunkWatch
from bridge.telephony.events import Ended, Origination
from bridge.telephony.trunks import TrunkStanding
from tests.integration.conftest import AmiProxy, until
from tests.ports import free_port

if TYPE_CHECKING:
    from tests.integration.conftest import OpenLink, RunAsterisk, RunningAsterisk

UNKNOWN, REACHABLE = TrunkStanding("unknown"), TrunkStanding("reachable")


class Registrar(asyncio.DatagramProtocol):
    """A trunk that answers OPTIONS, and REGISTER as it is told."""

    status = "200 OK"
    registers = 0

    transport: asyncio.DatagramTransport

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        first, *lines = data.decode().split("\r\n")
        is_register = first.startswith("REGISTER")
        self.registers += is_register
        status = self.status if is_register else "200 OK"
        echoed = [
            line for line in lines if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:", "Contact:", "Expires:"))
        ]
        to = next(f"{line};tag=1" for line in lines if line.startswith("To:"))
        answer = "\r\n".join((f"SIP/2.0 {status}", *echoed, to, "Content-Length: 0", "", ""))
        self.transport.sendto(answer.encode(), address)


@asynccontextmanager
async def registrar(port: int = 0) -> AsyncIterator[Registrar]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Registrar, local_addr=("127.0.0.1", port))
    protocol.transport = transport
    try:
        yield protocol
    finally:
        transport.close()


@asynccontextmanager
async def watching(
    *links: AmiLink, trunks: Mapping[str, Registration | None] | None = None
) -> AsyncIterator[TrunkWatch]:
    watch = TrunkWatch(links, trunks or {"trunk": None})
    running = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def until_it_stands(watch: TrunkWatch, trunk: str, standing: TrunkStanding) -> None:
    await asyncio.to_thread(until, lambda: watch.standing(trunk) == standing, 60)


async def until_disconnected(link: AmiLink) -> None:
    await asyncio.to_thread(until, lambda: not link.connected)


def registering(port: int) -> tuple[Trunk, Registration]:
    registration = Registration(f"sip:127.0.0.1:{port}", "sip:38512345@127.0.0.1")
    return Trunk("account", f"sip:127.0.0.1:{port}", account=Account("38512345", "secret", registration)), registration


async def test_a_trunk_that_answers_is_reachable_and_one_that_asterisk_does_not_have_is_unknown(link: AmiLink) -> None:
    async with watching(link, trunks={"trunk": None, "nowhere": None}) as watch:
        await until_it_stands(watch, "trunk", REACHABLE)
        assert watch.standing("nowhere") == UNKNOWN
        assert watch.problem is None


async def test_a_trunk_that_was_there_before_us_speaks_for_itself(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> None:
    """An endpoint without a probe, as in an operator's own configuration."""
    with run_asterisk(new_settings) as asterisk:
        own = asterisk.configuration.with_name("pjsip.conf")
        own.write_text(
            f"{own.read_text()}\n[own]\ntype = endpoint\naors = own\n[own]\ntype = aor\ncontact = sip:127.0.0.1:9\n"
        )
        asterisk.console("module reload res_pjsip.so")
        asterisk.wait_for_console("pjsip show endpoints", " own ")
        link = await open_link(asterisk.url)
        async with watching(link, trunks={"own": None}) as watch:
            await until_it_stands(watch, "own", REACHABLE)


async def test_a_trunk_comes_and_goes_and_still_counts_as_usable(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> None:
    """Some trunks never answer OPTIONS: that alone keeps no call from going out."""
    port = free_port(socket.SOCK_DGRAM)
    trunks = [*new_settings.trunks, Trunk("restless", f"sip:127.0.0.1:{port}")]
    with run_asterisk(replace(new_settings, trunks=trunks)) as asterisk:
        link = await open_link(asterisk.url)
        async with watching(link, trunks={"trunk": None, "restless": None}) as watch:
            await until_it_stands(watch, "trunk", REACHABLE)
            await until_it_stands(watch, "restless", TrunkStanding("unreachable"))
            assert not watch.is_down("restless")
            async with registrar(port):
                await until_it_stands(watch, "restless", REACHABLE)
            asterisk.console("pjsip qualify restless.probe")
            await until_it_stands(watch, "restless", TrunkStanding("unreachable"))
            assert watch.is_down("restless")
            assert watch.standing("restless").usable
            assert watch.standing("trunk") == REACHABLE


async def test_a_registration_is_told_when_it_is_accepted_refused_and_accepted_again(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> None:
    async with registrar() as carrier:
        trunk, registration = registering(carrier.port)
        with run_asterisk(replace(new_settings, trunks=[trunk])) as asterisk:
            link = await open_link(asterisk.url)
            async with watching(link, trunks={"account": registration}) as watch:
                await until_it_stands(watch, "account", TrunkStanding("reachable", "registered"))
                assert watch.problem is None
                carrier.status = "403 Forbidden"
                asterisk.console("pjsip send register account")
                await until_it_stands(watch, "account", TrunkStanding("reachable", "rejected"))
                assert watch.problem == "Asterisk is not registered: account rejected"
                assert watch.is_down("account")
                carrier.status = "200 OK"
                asterisk.console("pjsip send register account")
                await until_it_stands(watch, "account", TrunkStanding("reachable", "registered"))
                assert watch.problem is None


@pytest.mark.parametrize("refusal", ["403 Forbidden", "404 Not Found"])
async def test_a_registrar_that_refuses_is_asked_again_within_two_minutes(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, refusal: str
) -> None:
    async with registrar() as carrier:
        carrier.status = refusal
        trunk, _ = registering(carrier.port)
        with run_asterisk(replace(new_settings, trunks=[trunk])) as asterisk:
            await asyncio.to_thread(asterisk.wait_for_console, "pjsip show registrations", "Rejected")
            shown = re.search(r"Rejected +\(exp\. (\d+)s\)", asterisk.console("pjsip show registrations"))
            assert shown
            assert 60 < int(shown[1]) < 120


async def test_the_next_daemon_knows_at_once_what_the_last_one_heard(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> None:
    async with registrar() as carrier:
        trunk, registration = registering(carrier.port)
        trunks = {"account": registration}
        with run_asterisk(replace(new_settings, trunks=[trunk])) as asterisk:
            first = await open_link(asterisk.url)
            async with watching(first, trunks=trunks) as watch:
                await until_it_stands(watch, "account", TrunkStanding("reachable", "registered"))
                carrier.status = "403 Forbidden"
                asterisk.console("pjsip send register account")
                await until_it_stands(watch, "account", TrunkStanding("reachable", "rejected"))
            await first.close()
            asked = carrier.registers

            second = await open_link(asterisk.url)
            await second.wait_connected()
            watch = TrunkWatch([second], trunks)
            await watch.look()

            assert watch.standing("account").registration == "rejected"
            assert watch.is_down("account")
            assert carrier.registers == asked, "the registration itself was left alone"


async def test_what_was_heard_more_than_two_minutes_ago_is_not_known_any_more(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> None:
    trunk, registration = registering(free_port(socket.SOCK_DGRAM))
    with run_asterisk(replace(new_settings, trunks=[trunk])) as asterisk:
        long_ago = f"{time.time() - 121:.0f} Rejected"
        asterisk.console(f'dialplan set global VOICEBRIDGE_REGISTRATION_account "{long_ago}"')
        asterisk.wait_for_console("dialplan show globals", long_ago)
        link = await open_link(asterisk.url)
        await link.wait_connected()
        watch = TrunkWatch([link], {"account": registration})
        await watch.look()
        assert watch.standing("account").registration is None


async def test_a_registrar_that_is_away_makes_only_its_own_trunk_unusable(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> None:
    trunk, registration = registering(free_port(socket.SOCK_DGRAM))
    with run_asterisk(replace(new_settings, trunks=[*new_settings.trunks, trunk])) as asterisk:
        link = await open_link(asterisk.url)
        async with watching(link, trunks={"trunk": None, "account": registration}) as watch:
            # Asterisk begins within 10 s, and gives up after 32 s (RFC 3261, timer F).
            await asyncio.to_thread(until, lambda: not watch.standing("account").usable, 120)
            assert watch.standing("account") == TrunkStanding("unreachable", "rejected")
            await until_it_stands(watch, "trunk", REACHABLE)
            assert watch.problem is None


async def test_no_password_crosses_the_link(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> None:
    async with registrar() as carrier:
        trunk, registration = registering(carrier.port)
        assert trunk.account is not None
        trunk = replace(trunk, account=replace(trunk.account, password="a-trunk-password"))
        with run_asterisk(replace(new_settings, trunks=[trunk])) as asterisk:
            proxy = AmiProxy(asterisk.settings.manager.port)
            server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
            proxy.port = server.sockets[0].getsockname()[1]
            async with server:
                link = await open_link(proxy.url)
                async with watching(link, trunks={"account": registration}) as watch:
                    await until_it_stands(watch, "account", TrunkStanding("reachable", "registered"))
                await link.close()
            assert b"Registry" in proxy.heard
            assert b"a-trunk-password" not in proxy.heard + proxy.said


async def test_of_several_asterisks_the_best_word_counts_and_one_that_is_away_has_none(
    asterisk: RunningAsterisk,
    run_asterisk: RunAsterisk,
    new_settings: AsteriskSettings,
    open_link: OpenLink,
) -> None:
    silent = [Trunk("trunk", f"sip:127.0.0.1:{free_port(socket.SOCK_DGRAM)}")]
    with run_asterisk(replace(new_settings, trunks=silent)) as other:
        bad, good = await open_link(other.url), await open_link(asterisk.url)
        async with watching(bad, good) as watch:
            await until_it_stands(watch, "trunk", REACHABLE)
            await good.close()
            await until_it_stands(watch, "trunk", TrunkStanding("unreachable"))
    await until_disconnected(bad)
    assert watch.standing("trunk") == UNKNOWN


async def test_a_trunk_is_seen_at_once_after_a_login(
    asterisk: RunningAsterisk, proxy: AmiProxy, open_link: OpenLink
) -> None:
    asterisk.wait_for_console("pjsip show contacts", "Avail")
    link = await open_link(proxy.url)
    async with watching(link) as watch:
        await until_it_stands(watch, "trunk", REACHABLE)
        proxy.cut()
        await until_disconnected(link)
        assert watch.standing("trunk") == UNKNOWN
        await link.wait_connected()
        assert watch.standing("trunk") == REACHABLE


async def test_a_trunk_watch_is_cheap(asterisk: RunningAsterisk, proxy: AmiProxy, open_link: OpenLink) -> None:
    """One exchange of a few hundred bytes for a trunk that answers, however many endpoints Asterisk has."""
    link = await open_link(proxy.url)
    await link.wait_connected()
    watch = TrunkWatch([link], {"trunk": None})
    said, heard = len(proxy.said), len(proxy.heard)
    await watch.look()
    assert len(proxy.said) - said < 200
    assert len(proxy.heard) - heard < 300


@pytest.mark.parametrize(
    ("standing", "usable"),
    [
        (TrunkStanding(), True),
        (TrunkStanding("unreachable"), True),
        (TrunkStanding("unreachable", "registered"), True),
        (TrunkStanding("reachable", "rejected"), False),
        (TrunkStanding("reachable", "unregistered"), False),
    ],
)
def test_a_trunk_cannot_be_used_when_a_registration_that_it_needs_is_missing(
    standing: TrunkStanding, usable: bool
) -> None:
    assert standing.usable is usable


async def test_a_trunk_whose_name_leads_to_no_address_is_told_from_one_that_is_silent(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> None:
    hosts = {"nowhere": "carrier.invalid", "in-hosts-file": "localhost", "silent": "127.0.0.1"}
    trunks = [Trunk(name, f"sip:{host}:{free_port(socket.SOCK_DGRAM)}") for name, host in hosts.items()]
    with run_asterisk(replace(new_settings, trunks=trunks)) as asterisk:
        link = await open_link(asterisk.url)
        await link.wait_connected()
        watch = TrunkWatch([link], dict.fromkeys(hosts), hosts)
        await watch.look()
        assert [watch.standing(name).qualify for name in hosts] == ["unresolved", "unresolved", "unreachable"]
        assert watch.problem is None
        alone = TrunkWatch([link], {"nowhere": None}, hosts)
        await alone.look()
        assert alone.problem == "the name of trunk nowhere leads to no address"


async def test_a_call_that_found_no_address_tells_it_and_is_no_refusal(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink, journal: Journal
) -> None:
    """Also of a trunk whose name only Asterisk cannot resolve."""
    with run_asterisk(replace(new_settings, trunks=[Trunk("nowhere", "sip:carrier.invalid")])) as asterisk:
        link = await open_link(asterisk.url)
        await link.wait_connected()
        watch = TrunkWatch([link], {"nowhere": None})
        call = await Switchboard(link, journal).place(Origination("vb-nowhere", "99900", "nowhere"))
        ended = [event async for event in call.events()][-1]
        assert isinstance(ended, Ended)
        assert (ended.unsent, ended.sip_status, ended.cause) == (True, None, 38)
        record = (await journal.read(["vb-nowhere"]))["vb-nowhere"]
        assert record.ended is not None
        assert replace(record.ended, at=ended.at) == ended
        await watch.look()
        assert watch.standing("nowhere").qualify == "unresolved"

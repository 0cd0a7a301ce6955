"""The rendered configuration files, on a real Asterisk."""

from __future__ import annotations

import asyncio
import secrets
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.asterisk import Origination, Switchboard, TrunkState
from bridge.asterisk.files import Account, AsteriskSettings, Trunk

if TYPE_CHECKING:
    from tests.integration.conftest import OpenLink, RunAsterisk, RunningAsterisk, Telephones


def invite(asterisk: RunningAsterisk, source: str) -> str:
    """The status line of the first final answer to an INVITE from that address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((source, 0))
        phone.settimeout(5)
        here = f"{source}:{phone.getsockname()[1]}"
        there = f"127.0.0.1:{asterisk.settings.sip_port}"
        request = (
            f"INVITE sip:99900@{there} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK-{source}",
            f"From: <sip:mallory@{here}>;tag=1",
            f"To: <sip:99900@{there}>",
            f"Call-ID: {here}",
            "CSeq: 1 INVITE",
            f"Contact: <sip:mallory@{here}>",
            "Max-Forwards: 70",
            "Content-Length: 0",
        )
        phone.sendto("\r\n".join((*request, "", "")).encode(), ("127.0.0.1", asterisk.settings.sip_port))
        while True:
            status = phone.recv(4096).decode().split("\r\n", 1)[0]
            if not status.startswith("SIP/2.0 1"):
                return status


def test_asterisk_starts_without_a_warning(asterisk: RunningAsterisk) -> None:
    lines = asterisk.log_of_start.splitlines()
    assert [line for line in lines if " WARNING[" in line or " ERROR[" in line] == []
    assert lines


def test_nobody_can_call_in(asterisk: RunningAsterisk) -> None:
    assert invite(asterisk, "127.0.0.2").startswith("SIP/2.0 401 ")
    assert invite(asterisk, "127.0.0.1").startswith("SIP/2.0 404 ")


def test_the_trunk_is_offered_the_codecs_that_speech_is_stored_in(asterisk: RunningAsterisk) -> None:
    assert "(ulaw|alaw)" in asterisk.console("pjsip show endpoint trunk")


def test_a_trunk_with_an_account_registers(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, telephones: Telephones
) -> None:
    registrar = f"sip:127.0.0.1:{telephones.carrier.sip_port}"
    account = Account("softphone", telephones.carrier.softphone_password, registrar)
    with run_asterisk(replace(new_settings, trunk=Trunk(registrar, account=account))) as asterisk:
        asterisk.wait_for_console("pjsip show registrations", "Registered")
        # The telephone's own test wants it unregistered.
        asterisk.console("pjsip send unregister trunk-registration")
        asterisk.wait_for_console("pjsip show registrations", "Unregistered")


async def test_a_trunk_that_answers_no_options_is_told_and_called_all_the_same(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        trunk = Trunk(f"sip:127.0.0.1:{silent.getsockname()[1]}")
        with run_asterisk(replace(new_settings, trunk=trunk)) as asterisk:
            link = await open_link(asterisk.url)
            switchboard = Switchboard(link)
            await link.wait_connected()
            assert await switchboard.trunk_state("trunk") is TrunkState.UNREACHABLE
            call = await switchboard.place(Origination(secrets.token_hex(8), "99900", "trunk", "12345"))
            heard = await asyncio.to_thread(_until_heard, silent, "INVITE sip:99900@127.0.0.1")
            await call.hang_up()
    assert "From: <sip:12345@" in heard


def _until_heard(trunk: socket.socket, beginning: str) -> str:
    trunk.settimeout(10)
    while not (request := trunk.recv(4096).decode()).startswith(beginning):
        pass
    return request

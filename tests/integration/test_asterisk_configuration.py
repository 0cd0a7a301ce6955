"""The rendered configuration files, on a real Asterisk."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.asterisk.configuration import Account, AsteriskSettings, Registration, Trunk, render
from tests.integration.conftest import until

if TYPE_CHECKING:
    from tests.integration.conftest import OpenLink, RunAsterisk, RunningAsterisk, Telephones


def invite(asterisk: RunningAsterisk, source: str) -> str:
    """The status line of the first final answer to an INVITE from that address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((source, 0))
        phone.settimeout(30)
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
    registration = Registration(registrar, "sip:softphone@127.0.0.1")
    account = Account("softphone", telephones.carrier.softphone_password, registration)
    trunks = [Trunk("account", registrar, account=account)]
    with run_asterisk(replace(new_settings, trunks=trunks)) as asterisk:
        asterisk.wait_for_console("pjsip show registrations", "Registered")
        assert "OutAuth:  account/softphone" in asterisk.console("pjsip show endpoint account")
        # The telephone's own test wants it unregistered.
        asterisk.console("pjsip send unregister account")
        asterisk.wait_for_console("pjsip show registrations", "Unregistered")


async def test_several_trunks_to_one_host_are_called_each_by_its_own_account(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as carrier:
        carrier.bind(("127.0.0.1", 0))
        uri = f"sip:127.0.0.1:{carrier.getsockname()[1]}"
        trunks = [Trunk(name, uri, account=Account(f"account-{name}", "secret")) for name in ("one", "two")]
        with run_asterisk(replace(new_settings, trunks=trunks)) as asterisk:
            assert " WARNING[" not in asterisk.log_of_start
            assert " ERROR[" not in asterisk.log_of_start
            assert invite(asterisk, "127.0.0.1").startswith("SIP/2.0 404 ")
            link = await open_link(asterisk.url)
            await link.wait_connected()
            for trunk in ("one", "two"):
                await link.send("Originate", Channel=f"PJSIP/99900@{trunk}", Application="Wait", Async="true")
                invitation = await asyncio.to_thread(_until_heard, carrier, "INVITE sip:99900@")
                answer_with_a_challenge(carrier, invitation, asterisk.settings.sip_port)
                authorized = await asyncio.to_thread(_until_heard, carrier, "INVITE sip:99900@", "Authorization: ")
                assert f'username="account-{trunk}"' in authorized


def test_a_trunk_comes_and_goes_with_a_reload(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, telephones: Telephones
) -> None:
    uri = f"sip:127.0.0.1:{telephones.carrier.sip_port}"
    with run_asterisk(new_settings) as asterisk:
        etc = asterisk.configuration.parent
        render(etc, replace(new_settings, trunks=[*new_settings.trunks, Trunk("second", uri)]))
        asterisk.console("module reload res_pjsip.so")
        asterisk.wait_for_console("pjsip show contacts", f"second.probe/{uri}")
        render(etc, new_settings)
        asterisk.console("module reload res_pjsip.so")
        until(lambda: "second" not in asterisk.console("pjsip show endpoints"))
        assert "trunk.probe" in asterisk.console("pjsip show endpoints")


async def test_a_trunk_that_answers_no_options_is_called_all_the_same(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        trunks = [Trunk("trunk", f"sip:127.0.0.1:{silent.getsockname()[1]}")]
        with run_asterisk(replace(new_settings, trunks=trunks)) as asterisk:
            link = await open_link(asterisk.url)
            await link.wait_connected()
            await link.send(
                "Originate", Channel="PJSIP/99900@trunk", CallerID="12345", Application="Wait", Async="true"
            )
            heard = await asyncio.to_thread(_until_heard, silent, "INVITE sip:99900@127.0.0.1")
    assert "From: <sip:12345@" in heard


def answer_with_a_challenge(carrier: socket.socket, invitation: str, port: int) -> None:
    """Ask for the account's credentials (RFC 3261, 22.2)."""
    echoed = [
        line for line in invitation.split("\r\n") if line.startswith(("Via:", "From:", "To:", "Call-ID:", "CSeq:"))
    ]
    lines = [
        "SIP/2.0 401 Unauthorized",
        *(f"{line};tag=1" if line.startswith("To:") else line for line in echoed),
        'WWW-Authenticate: Digest realm="carrier", nonce="0", algorithm=MD5',
        "Content-Length: 0",
    ]
    carrier.sendto("\r\n".join((*lines, "", "")).encode(), ("127.0.0.1", port))


def _until_heard(trunk: socket.socket, beginning: str, within: str = "") -> str:
    trunk.settimeout(30)
    while not ((request := trunk.recv(4096).decode()).startswith(beginning) and within in request):
        pass
    return request

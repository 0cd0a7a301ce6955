"""What trunks are sent: each gets numbers and caller ids in the format that it wants, on every leg."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import pytest
from aiohttp import ClientSession

from bridge.lab.lab import Lab
from bridge.lab.setup import OWN_CARRIER
from tests.e2e.running_lab import RunningLab
from tests.e2e.test_calls import cdr_of

CALLER = "38515507799"


@dataclass
class Trunk:
    """Answers OPTIONS, refuses every call, and keeps its INVITE."""

    invites: dict[str, str] = field(default_factory=dict)
    socket: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def __post_init__(self) -> None:
        self.socket.bind(("127.0.0.1", 0))
        Thread(target=self._answer, daemon=True).start()

    @property
    def uri(self) -> str:
        return f"sip:127.0.0.1:{self.socket.getsockname()[1]}"

    def _answer(self) -> None:
        while True:
            try:
                request, address = self.socket.recvfrom(8192)
            except OSError:
                return
            method, *lines = request.decode().split("\r\n")
            if method.startswith("INVITE"):
                self.invites[request.decode().partition("Call-ID: ")[2].split("\r\n")[0]] = request.decode()
            if method.startswith(("INVITE", "OPTIONS")):
                status = "503 Service Unavailable" if method.startswith("INVITE") else "200 OK"
                echoed = [line for line in lines if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:"))]
                to = next(f"{line};tag=1" for line in lines if line.startswith("To:"))
                answer = "\r\n".join((f"SIP/2.0 {status}", *echoed, to, "Content-Length: 0", "", ""))
                self.socket.sendto(answer.encode(), address)


WANTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "plain": ({}, "4179302672", CALLER),
    "plus": ({"number_format": {"": "+"}, "caller_id_format": {"": "+"}}, "+4179302672", f"+{CALLER}"),
    "national": (
        {"number_format": {"41": "0", "": "00"}, "caller_id_format": {"385": "0", "": "00"}},
        "079302672",
        "015507799",
    ),
    "tech": ({"number_format": {"": "1234#"}}, "1234#4179302672", CALLER),
    "stripping": ({"number_format": {"417": "9"}, "caller_id_format": {"": "00"}}, "99302672", f"00{CALLER}"),
}
"""Trunks by name: their settings, and what they are sent for 4179302672 and one digit more, called by 38515507799."""


def number_for(trunk: str) -> str:
    """The number that leads to it."""
    return f"4179302672{list(WANTS).index(trunk)}"


@pytest.fixture(scope="module")
def trunks() -> Iterator[dict[str, Trunk]]:
    with ExitStack() as stack:
        trunks = {name: Trunk() for name in WANTS}
        for trunk in trunks.values():
            stack.callback(trunk.socket.close)
        yield trunks


@pytest.fixture(scope="module")
def formats_lab(
    lab_settings_only: None, trunks: dict[str, Trunk], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningLab]:
    """``777`` leads over a trunk that wants ``+`` and refuses, then, as ``778``, to the lab's telephones."""
    own = {"uri": OWN_CARRIER, "number_format": {"777": "", "778": ""}, "caller_id_format": {"385": "0"}}
    plus = WANTS["plus"][0]
    settings = [
        {"name": "first", "uri": trunks["plus"].uri, "prefixes": ["777"], **plus},
        {"name": "own", "prefixes": ["777", "778"], **own},
        *(
            {"name": name, "uri": trunks[name].uri, "prefixes": [number_for(name)], **wants}
            for name, (wants, _, _) in WANTS.items()
        ),
    ]
    lab = Lab(tmp_path_factory.mktemp("formats"), {"VOICEBRIDGE_TRUNKS": json.dumps(settings)})
    with ExitStack() as running:
        running.callback(lab.down)
        lab.up()
        yield RunningLab(lab)


@pytest.fixture
async def api(formats_lab: RunningLab) -> AsyncIterator[ClientSession]:
    async with ClientSession(formats_lab.url, headers=formats_lab.headers) as session:
        yield session


async def attempt_of(api: ClientSession, path: str, message: dict[str, Any]) -> dict[str, Any]:
    """The only attempt of a message, in its CDR."""
    async with api.post(path, json={"messages": [message]}) as response:
        answer = await response.json()
    cdr = await cdr_of(api, answer["messages"][0]["token"], 60)
    (attempt,) = cdr["attempts"]
    assert isinstance(attempt, dict)
    return attempt


def to(number: str, **members: Any) -> dict[str, Any]:
    return {"from": CALLER, "destinations": [{"to": number}], "text": "Good morning.", **members}


@pytest.mark.parametrize("name", list(WANTS))
async def test_a_trunk_is_sent_the_format_that_it_wants(
    api: ClientSession, trunks: dict[str, Trunk], name: str
) -> None:
    _, called, caller = WANTS[name]
    number, called = number_for(name), called + number_for(name)[-1]
    attempt = await attempt_of(api, "/tts/3/advanced", to(number))
    assert (attempt["to"], attempt["from"]) == (number, CALLER)
    assert (attempt["sentTo"], attempt["sentFrom"]) == (called, caller)
    (invite,) = [invite for invite in trunks[name].invites.values() if "77799909601" not in invite]
    in_uri = called.replace("#", "%23")
    assert invite.startswith(f"INVITE sip:{in_uri}@127.0.0.1:")
    assert f"\r\nTo: <sip:{in_uri}@127.0.0.1" in invite
    assert f"\r\nFrom: <sip:{caller}@" in invite


async def test_every_leg_is_sent_in_the_format_of_its_trunk(
    formats_lab: RunningLab, api: ClientSession, trunks: dict[str, Trunk]
) -> None:
    attempt = await attempt_of(api, "/tts/3/advanced", to("77799909601"))
    assert (attempt["to"], attempt["sentTo"], attempt["sentFrom"]) == ("77799909601", "99909601", "015507799")
    (refused,) = attempt["refused"]
    assert (refused["sentTo"], refused["sentFrom"]) == ("+77799909601", f"+{CALLER}")
    assert any(invite.startswith("INVITE sip:+77799909601@") for invite in trunks["plus"].invites.values())
    (call,) = formats_lab.calls("99909601")
    assert call.caller_id == "015507799"


async def test_transfers_are_sent_in_the_format_of_the_trunk(formats_lab: RunningLab, api: ClientSession) -> None:
    verbs = [
        {"dial": "+778 99909603", "options": {"senderId": "+385 1 5507-700"}},
        {"dialToMany": [{"numbers": "77899909604, +778-999-016-05"}], "options": {"parallel": True}},
        "hangup",
    ]
    transfers = {"actions": [{"if": "noDtmf", "actionGroup": "agent"}], "actionGroups": {"agent": verbs}}
    attempt = await attempt_of(api, "/tts/3/advanced", to("77899900602", dtmfTimeout=1, **transfers))
    first, second = attempt["transfers"]
    assert (first["numbers"], first["number"], first["result"]) == (["77899909603"], "77899909603", "answered")
    assert (first["sentTo"], first["sentFrom"]) == (["99909603"], "015507700")
    assert (second["numbers"], second["number"]) == (["77899909604", "77899901605"], "77899909604")
    assert (second["sentTo"], second["sentFrom"]) == (["99909604", "99901605"], "015507799")
    assert [call.caller_id for call in formats_lab.calls("99909603")] == ["015507700"]
    assert [call.caller_id for call in formats_lab.calls("99909604")] == ["015507799"]


async def test_the_other_side_of_a_click_to_call_is_sent_in_the_format_of_the_trunk(
    formats_lab: RunningLab, api: ClientSession
) -> None:
    message = {
        "from": CALLER,
        "fromB": "+385 (0)1 5507701",
        "destinationA": "77899900606",
        "destinationB": "77899909607",
    }
    attempt = await attempt_of(api, "/voice/ctc/1/send", message)
    (transfer,) = attempt["transfers"]
    assert (transfer["number"], transfer["sentTo"], transfer["sentFrom"]) == ("77899909607", ["99909607"], "015507701")
    assert [call.caller_id for call in formats_lab.calls("99909607")] == ["015507701"]

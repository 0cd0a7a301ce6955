"""A softphone (played by SIPp) registers with the carrier and is called."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from tests.integration.test_lab_telephones import call, heard_by
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Telephones

REGISTER = """<send retrans="500"><![CDATA[
REGISTER sip:[remote_ip] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:softphone@[remote_ip]>;tag=[call_number]
To: <sip:softphone@[remote_ip]>
Call-ID: [call_id]
CSeq: {sequence} REGISTER
Contact: <sip:softphone@[local_ip]:[local_port]>
Expires: 60
{authentication}
Content-Length: 0

]]></send>"""

RESPONSE = """<send><![CDATA[
SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:];tag=softphone
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:softphone@[local_ip]:[local_port]>
{content_type}
Content-Length: [len]

{body}
]]></send>"""

SDP = """v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000"""

REGISTRATION = [
    REGISTER.format(sequence=1, authentication=""),
    '<recv response="401" auth="true"/>',
    REGISTER.format(sequence=2, authentication="[authentication username=softphone password=a-softphone]"),
    '<recv response="200"/>',
]
ANSWER = [
    '<recv request="INVITE"/>',
    RESPONSE.format(status="180 Ringing", content_type="", body=""),
    RESPONSE.format(status="200 OK", content_type="Content-Type: application/sdp", body=SDP),
    '<recv request="ACK"/>',
    '<recv request="BYE"/>',
    RESPONSE.format(status="200 OK", content_type="", body=""),
]


async def test_a_softphone_is_called_when_it_is_registered(telephones: Telephones, tmp_path: Path) -> None:
    async with call(telephones.carrier.sip_port, "99920") as caller:
        assert await caller.invite() == 480

    port = free_port(socket.SOCK_DGRAM)
    registering = await _softphone(telephones, port, _scenario(tmp_path / "register.xml", REGISTRATION))
    assert await asyncio.wait_for(registering.wait(), 60) == 0
    answering = await _softphone(telephones, port, _scenario(tmp_path / "answer.xml", ANSWER))

    async with call(telephones.carrier.sip_port, "99920") as caller:
        assert await caller.invite() == 200
        await caller.say(b"\x55" * 8000)

    assert await asyncio.wait_for(answering.wait(), 60) == 0
    assert 180 in caller.statuses
    assert await heard_by(telephones, caller) == b"\x55" * 8000


def _scenario(file: Path, steps: list[str]) -> Path:
    file.write_text(f'<?xml version="1.0"?><scenario name="softphone">{"".join(steps)}</scenario>')
    return file


async def _softphone(telephones: Telephones, port: int, scenario: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *("sipp", f"127.0.0.1:{telephones.carrier.sip_port}", "-i", "127.0.0.1", "-p", str(port)),
        *("-sf", str(scenario), "-m", "1", "-nostdin", "-timeout", "60"),
        cwd=scenario.parent,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )

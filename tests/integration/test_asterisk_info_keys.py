"""Keys in SIP INFO, from a telephone that SIPp plays."""

from __future__ import annotations

import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.asterisk.configuration import Trunk
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.telephony.events import KeyPressed, Origination, PlaybackEnded, Ready
from tests.ports import free_port

if TYPE_CHECKING:
    from bridge.asterisk.configuration import AsteriskSettings
    from tests.integration.conftest import OpenLink, RunAsterisk

SCENARIO = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="a telephone that answers and presses keys in SIP INFO">
  <recv request="INVITE" rrs="true">
    <action><ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/></action>
  </recv>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
  <recv request="ACK"/>
{keys}
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""
PRESS = """
  <pause milliseconds="{gap}"/>
  <send><![CDATA[
INFO [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:telephone@[local_ip]:[local_port]>;tag=[call_number]
To:[$caller]
[last_Call-ID:]
CSeq: {number} INFO
Max-Forwards: 70
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal={key}
Duration=160
]]></send>
  <recv response="200"/>
"""
KEYS = "1557*#0"


@contextmanager
def telephone(folder: Path, gap: int) -> Iterator[int]:
    """A telephone that presses ``KEYS`` with so many milliseconds between two; yields its SIP port."""
    presses = [PRESS.format(number=number, key=key, gap=gap) for number, key in enumerate(KEYS, 1)]
    (folder / "telephone.xml").write_text(SCENARIO.replace("{keys}", "".join(presses)))
    port = free_port(socket.SOCK_DGRAM)
    command = ["sipp", "-sf", "telephone.xml", "-i", "127.0.0.1", "-p", str(port), "-nostdin"]
    process = subprocess.Popen([*command, "-m", "1"], cwd=folder, stdout=subprocess.DEVNULL)
    try:
        yield port
        assert process.wait(timeout=30) == 0, "the telephone's scenario did not go as written"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("gap", [60, 300])
async def test_every_key_in_info_comes_once(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink, tmp_path: Path, gap: int
) -> None:
    """The first keys during a prompt, which the first of them stops, the others while the call listens."""
    (tmp_path / "prompt.ulaw").write_bytes(b"\x20\xa0" * 40_000)
    (tmp_path / "silence.ulaw").write_bytes(b"\xff" * 80_000)
    with telephone(tmp_path, gap) as port:
        trunk = Trunk("trunk", f"sip:127.0.0.1:{port}", dtmf_mode="info")
        with run_asterisk(replace(new_settings, trunks=[trunk])) as asterisk:
            link = await open_link(asterisk.url)
            await link.wait_connected()
            switchboard = Switchboard(link, Journal(tmp_path / "journal"))
            call = await switchboard.place(Origination(secrets.token_hex(8), "99900", "trunk", call_timeout=30))
            call.fill_with(str(tmp_path / "silence"), 10.0)
            keys, played = "", 0
            async for event in call.events():
                if isinstance(event, Ready):
                    await call.play(str(tmp_path / "prompt"), stop_keys="0123456789*#")
                if isinstance(event, PlaybackEnded):
                    played += 1
                    call.send_silence()
                if isinstance(event, KeyPressed):
                    keys += event.digit
                    if keys == KEYS:
                        await call.hang_up()
    assert keys == KEYS
    assert played == 1

"""What is on the wire between the bridge's Asterisk and the carrier."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bridge.lab.processes import until
from tests.e2e.running_lab import RunningLab
from tests.e2e.test_calls import cdr_of, send

pytestmark = pytest.mark.alone

LAST_PACKET = b"the capture ends here"
MOST_SECONDS_TO_SPEECH = 0.040
FIELDS = (
    "frame.time_epoch",
    "udp.srcport",
    "sip.Call-ID",
    "sip.Method",
    "sip.Status-Code",
    "sip.CSeq.method",
    "rtp.seq",
)


@dataclass(frozen=True)
class Packet:
    """One SIP message or RTP packet; ``at`` is in seconds."""

    at: float
    from_bridge: bool
    call_id: str
    method: str
    status: str
    answers: str
    rtp_number: str


@dataclass
class Capture:
    """What was captured, once it is over."""

    packets: list[Packet] = field(default_factory=list)


@contextmanager
def capturing(lab: RunningLab, folder: Path) -> Iterator[Capture]:
    """Capture the lab's SIP and RTP with tshark."""
    ports, file, capture = lab.ports, folder / "wire.pcapng", Capture()
    bridge = {ports.bridge_sip, *range(ports.bridge_rtp[0], ports.bridge_rtp[1] + 1)}
    only = f"udp and (port {ports.bridge_sip} or portrange {ports.bridge_rtp[0]}-{ports.carrier_rtp[1]})"
    dumping = subprocess.Popen(["tshark", "-q", "-i", "lo", "-f", only, "-w", file], stderr=subprocess.PIPE, text=True)
    try:
        assert dumping.stderr is not None
        assert any("Capture started" in line for line in dumping.stderr)
        yield capture
        # tshark writes late: when this packet is in the file, all before it are.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as marker:
            marker.sendto(LAST_PACKET, ("127.0.0.1", ports.carrier_rtp[1]))
        assert until(lambda: LAST_PACKET in file.read_bytes(), seconds=30)
    finally:
        dumping.terminate()
        dumping.communicate(timeout=30)
    reading = [
        "tshark",
        "-r",
        str(file),
        "-d",
        f"udp.port=={ports.bridge_sip},sip",
        "-T",
        "fields",
        "-E",
        "separator=|",
    ]
    lines = subprocess.run(
        [*reading, *(part for name in FIELDS for part in ("-e", name))], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for line in lines:
        at, source, *rest = line.split("|")
        capture.packets.append(Packet(float(at), int(source) in bridge, *rest))


async def test_speech_begins_within_40_ms_of_the_answer(lab: RunningLab, api: ClientSession, tmp_path: Path) -> None:
    with capturing(lab, tmp_path) as capture:
        for turn in range(10):
            await cdr_of(api, await send(api, f"9990080{turn}", "Good morning."))
            await lab.heard(f"9990080{turn}")
    delays = []
    answered_at: float | None = None
    answered: set[str] = set()
    for packet in capture.packets:
        if packet.status == "200" and packet.answers == "INVITE" and packet.call_id not in answered:
            answered.add(packet.call_id)
            answered_at = packet.at
        elif packet.rtp_number and packet.from_bridge and answered_at is not None:
            delays.append(packet.at - answered_at)
            answered_at = None
    assert len(delays) == 10
    assert sorted(delays)[-2] <= MOST_SECONDS_TO_SPEECH, delays


async def test_a_message_is_one_invite(lab: RunningLab, api: ClientSession, tmp_path: Path) -> None:
    with capturing(lab, tmp_path) as capture:
        await cdr_of(api, await send(api, "99900810", "Good morning."))
        await lab.heard("99900810")
    invites = [packet for packet in capture.packets if packet.method == "INVITE" and packet.from_bridge]
    assert len(invites) == 1


async def test_the_wire_shows_a_cancel_when_the_ring_time_is_over(
    lab: RunningLab, api: ClientSession, tmp_path: Path
) -> None:
    message = {"destinations": [{"to": "9990281"}], "text": "Nobody hears this.", "ringTimeout": 2}
    with capturing(lab, tmp_path) as capture:
        async with api.post("/tts/3/advanced", json={"messages": [message]}) as response:
            token = (await response.json())["messages"][0]["token"]
        await cdr_of(api, token)
        await lab.until(lambda: bool(lab.calls("9990281")))
    (invite,) = [packet for packet in capture.packets if packet.method == "INVITE"]
    (cancel,) = [packet for packet in capture.packets if packet.method == "CANCEL"]
    assert cancel.call_id == invite.call_id
    assert 1.5 < cancel.at - invite.at < 8

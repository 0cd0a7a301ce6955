"""What is on the wire between a lab's Asterisk and its carrier, and nothing of any other lab."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bridge.lab.processes import until
from tests.e2e.running_lab import RunningLab

LAST_PACKET = b"the capture ends here"
FIELDS = (
    "frame.time_epoch",
    "udp.srcport",
    "udp.dstport",
    "sip.Call-ID",
    "sip.Method",
    "sip.Status-Code",
    "sip.CSeq.method",
    "sdp.media.port",
    "rtp.seq",
    "rtpevent.end_of_event",
    "rtp.payload",
)


@dataclass(frozen=True)
class Packet:
    """One SIP message or RTP packet of a call; ``at`` is in seconds, ``payload`` in hexadecimal digits."""

    at: float
    from_bridge: bool
    call_id: str
    method: str = ""
    status: str = ""
    answers: str = ""
    ends_key: bool = False
    payload: str = ""

    @property
    def is_rtp(self) -> bool:
        return not self.answers


@dataclass
class Capture:
    """What was captured, once it is over."""

    packets: list[Packet] = field(default_factory=list)


@dataclass
class _Media:
    """A call's RTP ports, and whether it is over: then others may have them."""

    ports: set[str] = field(default_factory=set)
    is_over: bool = False


@contextmanager
def capturing(lab: RunningLab, folder: Path) -> Iterator[Capture]:
    """Capture the lab's SIP and RTP with tshark."""
    ports, file, capture = lab.ports, folder / "wire.pcapng", Capture()
    rtp = " or ".join(f"portrange {first}-{last}" for first, last in (ports.bridge_rtp, ports.carrier_rtp))
    only = f"udp and (port {ports.bridge_sip} or {rtp})"
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
    fields = (part for name in FIELDS for part in ("-e", name))
    lines = subprocess.run([*reading, *fields], capture_output=True, text=True, check=True).stdout.splitlines()
    bridge = {ports.bridge_sip, *range(ports.bridge_rtp[0], ports.bridge_rtp[1] + 1)}
    capture.packets += of_calls(lines, bridge)


def of_calls(lines: Iterable[str], bridge: Collection[int]) -> Iterator[Packet]:
    """The SIP messages, and the RTP of the calls that they make, as long as each lasts.

    Only SIP tells whose an RTP port is: labs may share a range of them, and use a port one after the other. ``bridge``
    are the ports that the bridge's Asterisk sends from.
    """
    calls: dict[str, _Media] = {}
    for line in lines:
        at, source, target, call_id, method, status, answers, media_port, number, ends_key, payload = line.split("|")
        from_bridge = int(source) in bridge
        if call_id:
            media = calls.setdefault(call_id, _Media())
            media.ports |= {media_port} if media_port else set()
            media.is_over |= answers in {"BYE", "CANCEL"}
            yield Packet(float(at), from_bridge, call_id, method, status, answers)
        elif number and (owner := _owner(calls, {source, target})):
            octets = payload.replace(":", "")
            yield Packet(float(at), from_bridge, owner, ends_key=ends_key in {"1", "True"}, payload=octets)


def _owner(calls: Mapping[str, _Media], ports: Set[str]) -> str | None:
    return next((call_id for call_id, media in calls.items() if media.ports >= ports and not media.is_over), None)

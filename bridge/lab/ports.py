"""Free ports on loopback: each lab listens on ports of its own, for as long as any of its processes runs.

Ports that a part listens on, and must have again when it is started again, lie below those that Linux gives to outgoing
connections (32768 and up by default). Those of RTP may lie there: Asterisk passes over one that is taken. Twelve labs
have RTP ports of their own, further ones share theirs.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bridge.base.errors import VoicebridgeError

LABS = 20
FIRST_PORT = 10000
STEP = 10
FIRST_RTP_PORT = 12000
RTP_PORTS = 2000
RTP_RANGES = 24


class NoFreePorts(VoicebridgeError):
    """The ports of every lab are taken by other labs or other programs."""

    id = "NO_FREE_PORTS"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one lab, given by the first of them. RTP ranges include both ends."""

    first: int

    @property
    def http(self) -> int:
        return self.first

    @property
    def ami(self) -> int:
        return self.first + 1

    @property
    def bridge_sip(self) -> int:
        return self.first + 2

    @property
    def carrier_sip(self) -> int:
        return self.first + 3

    @property
    def bridge_rtp(self) -> tuple[int, int]:
        return self._rtp(0)

    @property
    def carrier_rtp(self) -> tuple[int, int]:
        return self._rtp(1)

    @property
    def may_share_rtp(self) -> bool:
        """Whether the RTP ports are also those of a lab with lower ports."""
        return self._labs_before * 2 >= RTP_RANGES

    @property
    def _labs_before(self) -> int:
        return (self.first - FIRST_PORT) // STEP

    def _rtp(self, side: int) -> tuple[int, int]:
        first = FIRST_RTP_PORT + (2 * self._labs_before + side) % RTP_RANGES * RTP_PORTS
        return first, first + RTP_PORTS - 1


def claim(preferred: int | None) -> tuple[Ports, int]:
    """Free ports for a lab, those from ``preferred`` on if possible, and the descriptor that holds them.

    Whoever inherits the descriptor holds the ports: they are free again when the last such process has ended. Raises
    ``NoFreePorts``.
    """
    every_first = [FIRST_PORT + STEP * lab for lab in range(LABS)]
    random.shuffle(every_first)
    for first in sorted(every_first, key=lambda first: (first != preferred, Ports(first).may_share_rtp)):
        ports = Ports(first)
        holder = hold(first)
        if holder is None:
            continue
        if _unused(ports):
            return ports, holder
        os.close(holder)
    raise NoFreePorts(f"no free ports from {FIRST_PORT} on: stop another lab with `make lab-down`")


def hold(port: int) -> int | None:
    """A descriptor that holds a port as long as any process has it open; None when somebody else holds the port."""
    folder = Path(tempfile.gettempdir()) / f"voicebridge-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    holder = os.open(folder / str(port), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(holder)
        return None
    return holder


def _unused(ports: Ports) -> bool:
    wanted = [
        (socket.SOCK_STREAM, ports.http),
        (socket.SOCK_STREAM, ports.ami),
        (socket.SOCK_DGRAM, ports.bridge_sip),
        (socket.SOCK_DGRAM, ports.carrier_sip),
    ]
    for kind, port in wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True

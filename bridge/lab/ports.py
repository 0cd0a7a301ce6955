"""Free ports on loopback: each lab has a block of its own, for as long as any of its processes runs."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import VoicebridgeError

FIRST_PORT = 10000
BLOCK = 4200
BLOCKS = 12
RTP_PORTS = 2000


class NoFreePorts(VoicebridgeError):
    """Every block of ports is taken by other labs or other programs."""

    id = "NO_FREE_PORTS"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one lab, counted from the first of its block. RTP ranges have both ends included."""

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
        return self.first + 100, self.first + 100 + RTP_PORTS - 1

    @property
    def carrier_rtp(self) -> tuple[int, int]:
        return self.first + 100 + RTP_PORTS, self.first + 100 + 2 * RTP_PORTS - 1


def claim(preferred: int | None) -> tuple[Ports, int]:
    """A free block, the preferred one if it is, and the file descriptor that holds it.

    Whoever inherits the descriptor holds the block: it is free again when the last such process has ended. Raises
    ``NoFreePorts``.
    """
    blocks = [FIRST_PORT + BLOCK * index for index in range(BLOCKS)]
    random.shuffle(blocks)
    for first in [preferred, *blocks] if preferred else blocks:
        ports = Ports(first)
        holder = _hold(first)
        if holder is None:
            continue
        if _unused(ports):
            return ports, holder
        os.close(holder)
    raise NoFreePorts(f"no free ports from {FIRST_PORT} on: stop another lab with `make lab-down`")


def _hold(first: int) -> int | None:
    folder = Path(tempfile.gettempdir()) / f"voicebridge-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    holder = os.open(folder / str(first), os.O_CREAT | os.O_RDWR, 0o600)
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

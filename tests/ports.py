"""Free ports on loopback for the tests' own programs.

They lie below those that Linux gives to outgoing connections, and beside those of labs: nobody is given one of them by
chance between the moment it is found free and the moment it is used, and a program that is started again finds its port
free again.
"""

from __future__ import annotations

import socket
from itertools import cycle
from random import SystemRandom

_PORTS = cycle(SystemRandom().sample(range(10200, 12000), 1800))
# Where labs have theirs too: Asterisk passes over an RTP port that is taken.
_RTP_PORTS = 400
_FIRST_RTP_PORTS = cycle(SystemRandom().sample(range(12000, 32000, _RTP_PORTS), 50))


def free_port(kind: socket.SocketKind) -> int:
    """A port that nobody listens on; another one each time."""
    return next(port for port in _PORTS if _is_free(kind, port))


def rtp_range() -> range:
    """Ports for one Asterisk's RTP; others each time, until all have had their turn."""
    first = next(_FIRST_RTP_PORTS)
    return range(first, first + _RTP_PORTS)


def _is_free(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

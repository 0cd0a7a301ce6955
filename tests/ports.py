"""Free ports on loopback for the tests' own programs; no other test process on this machine gets one meanwhile.

They lie below those that Linux gives to outgoing connections, and beside those of labs: nobody is given one of them by
chance between the moment it is found free and the moment it is used, and a program that is started again finds its port
free again.
"""

from __future__ import annotations

import socket
from collections import deque
from itertools import cycle
from random import SystemRandom

from bridge.lab.ports import hold

_PORTS = cycle(SystemRandom().sample(range(10200, 12000), 1800))
_RTP_PORTS = 200
_FIRST_RTP_PORTS = SystemRandom().sample(range(60000, 65400, _RTP_PORTS), 27)
_MOST_RTP_RANGES = 5

_held: set[int] = set()
_own_rtp: deque[int] = deque()


def free_port(kind: socket.SocketKind) -> int:
    """A port that nobody listens on; another one each time."""
    return next(port for port in _PORTS if _is_ours(port) and _is_free(kind, port))


def rtp_range() -> range:
    """Ports for one Asterisk's RTP; the process has up to five such ranges, which take turns.

    When other test processes have them all, it shares theirs: Asterisk passes over an RTP port that is taken.
    """
    if len(_own_rtp) < _MOST_RTP_RANGES:
        others = (first for first in _FIRST_RTP_PORTS if first not in _own_rtp)
        _own_rtp.append(next(filter(_is_ours, others), _FIRST_RTP_PORTS[len(_own_rtp)]))
    else:
        _own_rtp.rotate(-1)
    return range(_own_rtp[-1], _own_rtp[-1] + _RTP_PORTS)


def _is_ours(port: int) -> bool:
    """It is held until this process ends."""
    if port not in _held and hold(port) is not None:
        _held.add(port)
    return port in _held


def _is_free(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

"""Notifying the service manager (sd_notify(3)) that the daemon is ready, stops, or is alive.

Without ``NOTIFY_SOCKET`` in the environment nothing is sent.
"""

from __future__ import annotations

import asyncio
import os
import socket

import structlog

READY = "READY=1"
STOPPING = "STOPPING=1"
_ALIVE = "WATCHDOG=1"

_log = structlog.get_logger(__name__)


def tell(state: str) -> None:
    """Tell the service manager a state, such as ``READY``. A failure is logged, and is no reason to stop."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # a socket in the abstract namespace, unix(7)
        address = f"\0{address[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.setblocking(False)
            manager.sendto(state.encode(), address)
    except OSError as error:
        _log.warning("service_manager_not_told", state=state, reason=error)


async def tell_alive() -> None:
    """Feed the watchdog twice in its interval, until cancelled; from the event loop, so that a hang is noticed.

    Returns at once when no watchdog waits for this process (sd_watchdog_enabled(3)).
    """
    microseconds = int(os.environ.get("WATCHDOG_USEC") or 0)
    watched = os.environ.get("WATCHDOG_PID") in (None, str(os.getpid()))
    while microseconds and watched:
        tell(_ALIVE)
        await asyncio.sleep(microseconds / 2_000_000)

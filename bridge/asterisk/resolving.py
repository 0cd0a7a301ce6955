"""Name resolution as Asterisk does it: whether the host name of a trunk leads to an address."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from bridge.base.threads import FILES

_HOSTS = Path("/etc/hosts")


async def has_address(host: str) -> bool:
    """Whether a host is an address, or a name that DNS knows.

    Asterisk asks DNS alone (unless its module ``res_resolver_unbound`` is loaded): it does not know a name that stands
    in ``/etc/hosts`` only.
    """
    with suppress(ValueError):
        ip_address(host)
        return True
    if await FILES.run(_is_in_hosts_file, host):
        return False
    try:
        await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError:
        return False
    return True


def _is_in_hosts_file(host: str) -> bool:
    try:
        lines = _HOSTS.read_text(errors="replace").lower().splitlines()
    except OSError:
        return False
    return any(host.lower() in line.partition("#")[0].split()[1:] for line in lines)

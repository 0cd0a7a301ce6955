"""HTTP requests to URLs that callers named: downloads, pushed reports, requests of a script.

A caller must not reach, through us, what only we can reach. So an address is checked after its name was resolved, that
very address is the one connected to, and every redirect is checked again.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import ClassVar

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bridge.base.errors import VoicebridgeError
from bridge.base.status_lines import Beginning, Connector
from bridge.base.threads import Threads

CONNECT_SECONDS = 5.0
MOST_REDIRECTS = 3
RESOLVING_THREADS = 8
MOST_HEADER_BYTES = 1 << 16

REDIRECTS = {301, 302, 303, 307, 308}
REDIRECTS_OF_ANY_METHOD = {307, 308}
"""The others would turn a POST into a GET (RFC 9110, 15.4): it would look delivered and be lost."""

FRAMING = {"connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"}
CREDENTIALS = {"authorization", "cookie", "proxy-authorization"}

REASONS: dict[type[Exception], str] = {
    aiohttp.ClientConnectorCertificateError: "its certificate is not trusted",
    aiohttp.ClientSSLError: "no TLS connection",
    aiohttp.ClientConnectorDNSError: "its name is not known",
    aiohttp.ClientPayloadError: "the connection broke off",
    aiohttp.ServerDisconnectedError: "the connection broke off",
    TimeoutError: "it did not answer in time",
}

GLOBAL_UNICAST = IPv6Network("2000::/3")
NUMBER_AS_HOST = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)$", re.IGNORECASE)

Address = IPv4Address | IPv6Address


class OutboundRefused(VoicebridgeError):
    """The URL is not one that we go to: not http or https, or at an address that is not public."""

    id: ClassVar[str] = "OUTBOUND_REFUSED"


class OutboundFailed(VoicebridgeError):
    """The server could not be reached, broke off, did not answer in time, or redirected too often."""

    id: ClassVar[str] = "OUTBOUND_FAILED"


@dataclass(frozen=True, slots=True)
class Response:
    """``body`` is as sent, undecoded; ``truncated`` says that there was more of it than was asked for.

    ``broken`` says what was wrong after the status line; headers and body are then incomplete or missing.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    target: URL
    headers: Mapping[str, str]
    body: bytes | None

    def sent_on(self, onward: URL) -> _Request:
        headers = self.headers
        if onward.origin() != self.target.origin():
            headers = {name: value for name, value in headers.items() if name.lower() not in CREDENTIALS}
        return replace(self, target=onward, headers=headers)


class Outbound:
    """An HTTP client for hostile URLs. It uses no proxy, keeps no cookies and decompresses nothing.

    ``allow_private`` lifts the check of addresses, for a laboratory.
    """

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        connector = Connector(limit=0, resolver=_Resolver(allow_private=self._allow_private))
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            max_line_size=MOST_HEADER_BYTES,
            max_field_size=MOST_HEADER_BYTES,
            headers={"User-Agent": "voicebridge", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        most_bytes: int,
        timeout: float,  # noqa: ASYNC109 - one limit for all hops, and its own error
    ) -> Response:
        """Send a request; return the answer, whatever its status, with at most ``most_bytes`` of its body.

        All of it takes at most ``timeout`` seconds. A status line counts as an answer, whatever follows it or is
        missing. A body whose stated length is over ``most_bytes`` is not read. Up to 3 redirects are followed; those
        that would change the method are followed for GET and HEAD only. Headers that frame the request are set here,
        not taken from ``headers``. Raises OutboundRefused and OutboundFailed, which name the server and nothing more of
        the URL.
        """
        sent = {name: value for name, value in (headers or {}).items() if name.lower() not in FRAMING}
        request = _Request(method, _parsed(url), sent, body)
        problem: OutboundRefused | OutboundFailed
        deadline = asyncio.get_running_loop().time() + timeout
        try:
            for _ in range(1 + MOST_REDIRECTS):
                beginning = Beginning()
                response, onward = await self._hop(request, most_bytes, deadline)
                if onward is None:
                    return response
                request = request.sent_on(onward)
            raise OutboundFailed(f"{_server(request.target)}: redirected more than {MOST_REDIRECTS} times")
        # The causes are left out below: they quote the whole URL.
        except aiohttp.InvalidURL:
            problem = OutboundRefused(f"{_server(request.target)} is not gone to")
        except (aiohttp.ClientError, OSError) as error:
            problem = OutboundFailed(f"{_server(request.target)}: {_reason(error)}")
        except ValueError:
            problem = OutboundRefused(f"the request to {_server(request.target)} cannot be written")
        if beginning.status is None:
            raise problem
        return Response(beginning.status, {}, b"", truncated=False, broken=str(problem))

    async def _hop(self, request: _Request, most_bytes: int, deadline: float) -> tuple[Response, URL | None]:
        """One request: the answer, and the URL that it redirects to, if any. ``deadline`` is on the loop's clock."""
        assert self._session is not None
        self._check_literal(request.target)
        async with asyncio.timeout_at(deadline):
            answer = await self._session.request(
                request.method, request.target, headers=request.headers, data=request.body, allow_redirects=False
            )
        async with answer:
            onward = _onward(request, answer)
            return await _read(answer, 0 if onward else most_bytes, deadline), onward

    def _check_literal(self, target: URL) -> None:
        """Refuse a private address in the URL, which is not resolved, and numbers like ``127.1``, ``0x7f000001``."""
        host = (target.raw_host or "").rstrip(".")
        try:
            address = ip_address(host)
        except ValueError:
            if NUMBER_AS_HOST.search(host):
                raise OutboundRefused(f"{_server(target)} is neither a name nor an address") from None
            return
        if not self._allow_private and not is_public(address):
            raise OutboundRefused(f"{_server(target)} is not a public address")


class _Resolver(AbstractResolver):
    """Resolves names in threads of its own, so that slow name servers hold up nothing else.

    A name with any address that is not public is refused.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._threads = Threads("resolve", RESOLVING_THREADS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._threads.run(socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM)
        addresses = [(str(where[0]), kind) for kind, _, _, _, where in found]
        if not self._allow_private and not all(is_public(ip_address(address)) for address, _ in addresses):
            raise OutboundRefused(f"{host} is not at a public address")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for address, kind in addresses
        ]

    async def close(self) -> None:
        self._threads.close(drop=True)


def is_public(address: Address) -> bool:
    """Whether it is a unicast address on the internet (IANA special-purpose address registries).

    An IPv4-mapped address is as public as its IPv4 address. NAT64, 6to4 and other IPv6 addresses that hold an IPv4
    address are not: they could lead to a private one.
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    return address in GLOBAL_UNICAST and address.is_global and address.sixtofour is None


def _parsed(url: str | URL) -> URL:
    try:
        parsed = URL(url)
        if parsed.scheme in {"http", "https"} and parsed.raw_host and parsed.port:
            return parsed
    except ValueError:
        pass  # refused like the others, without the cause, which quotes the whole URL
    raise OutboundRefused("the URL is not a valid http or https URL")


def _onward(request: _Request, answer: aiohttp.ClientResponse) -> URL | None:
    followed = REDIRECTS if request.method in {"GET", "HEAD"} else REDIRECTS_OF_ANY_METHOD
    location = answer.headers.get("Location")
    if answer.status not in followed or location is None:
        return None
    try:
        return _parsed(request.target.join(URL(location)))
    except ValueError:
        raise OutboundRefused(f"{_server(request.target)} redirects to what is no URL") from None


async def _read(answer: aiohttp.ClientResponse, most_bytes: int, deadline: float) -> Response:
    body = bytearray()
    truncated, broken = (answer.content_length or 0) > most_bytes, None
    try:
        async with asyncio.timeout_at(deadline):
            while not truncated and (chunk := await answer.content.readany()):
                body += chunk
                truncated = len(body) > most_bytes
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError among them
        broken = f"{_server(answer.url)}: {_reason(error)}"
    if truncated:
        answer.close()
    return Response(answer.status, answer.headers, bytes(body[:most_bytes]), truncated, broken)


def _server(url: URL) -> str:
    return str(url.origin())


def _reason(error: Exception) -> str:
    for kind, reason in REASONS.items():
        if isinstance(error, kind):
            return reason
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection ({error.os_error.strerror})"
    if isinstance(error, OSError):
        return "the connection broke off"
    return "the answer is not understood"

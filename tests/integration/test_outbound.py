"""Going out to URLs that callers named, against servers that do what servers should not."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import subprocess
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bridge.base import outbound as outbound_module
from bridge.base.outbound import Outbound, OutboundFailed, OutboundRefused, Response

SECRETS = ["alice", "hunter2", "token", "t0ps3cret"]

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Host:
    """A web server on loopback that keeps what it was asked."""

    answer: Answer
    address: str = "127.0.0.1"
    identity: ssl.SSLContext | None = None
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, str(request.rel_url), dict(request.headers), await request.read()))
        return await self.answer(request)


@asynccontextmanager
async def running(host: Host) -> AsyncIterator[Host]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", host.handle)
    options: dict[str, Any] = {"ssl": host.identity} if host.identity else {}
    server = TestServer(app, host=host.address, port=host.port, scheme="https" if host.identity else "http")
    await server.start_server(**options)
    host.port = server.port or 0
    try:
        yield host
    finally:
        await server.close()


@asynccontextmanager
async def raw_host(answer: bytes, *, then_wait: bool = False) -> AsyncIterator[str]:
    """A server that answers every request with these bytes, right or wrong."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if then_wait:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


def says(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status, headers=headers)

    return answer


def redirects(location: str, status: int = 302) -> Answer:
    return says("elsewhere", status, {"Location": location})


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    """As in a laboratory: loopback is allowed."""
    outbound = Outbound(allow_private=True)
    await outbound.start()
    yield outbound
    await outbound.close()


@pytest.fixture
async def careful() -> AsyncIterator[Outbound]:
    outbound = Outbound()
    await outbound.start()
    yield outbound
    await outbound.close()


@pytest.fixture
async def only_second(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outbound]:
    """For it 127.0.0.2 is the internet, and all else is inside."""
    monkeypatch.setattr(outbound_module, "is_public", lambda address: str(address) == "127.0.0.2")
    outbound = Outbound()
    await outbound.start()
    yield outbound
    await outbound.close()


async def get(outbound: Outbound, url: str, most_bytes: int = 1000, timeout: float = 10) -> Response:  # noqa: ASYNC109 - it is passed on
    return await outbound.fetch("GET", url, most_bytes=most_bytes, timeout=timeout)


async def test_the_answer_comes_back_whatever_its_status(outbound: Outbound) -> None:
    async with running(Host(says("no such thing", 404, {"Kind": "odd"}))) as host:
        response = await outbound.fetch(
            "POST", f"{host.url}/a?b=c", headers={"Color": "red"}, body=b"{}", most_bytes=1000, timeout=10
        )
    assert (response.status, response.body, response.truncated) == (404, b"no such thing", False)
    assert response.headers["kind"] == "odd"
    ((method, target, headers, body),) = host.asked
    assert (method, target, body) == ("POST", "/a?b=c", b"{}")
    assert headers["Color"] == "red"
    assert headers["User-Agent"] == "voicebridge"


@pytest.mark.parametrize(
    "url",
    [
        *["", "nonsense", "/etc/passwd", "//example.com/x", "http://", "http:///x", "https://?x", "http://[::1"],
        *["ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "data:audio/wav;base64,AAAA"],
        *["http://example.com:99999/", "http://example.com:0/", "http://example.com:x/"],
    ],
)
async def test_only_http_and_https_are_gone_to(outbound: Outbound, url: str) -> None:
    with pytest.raises(OutboundRefused) as refused:
        await get(outbound, url)
    assert refused.value.id == "OUTBOUND_REFUSED"


@pytest.mark.parametrize(
    "name",
    [
        *["127.0.0.1", "localhost", "127.0.0.1.", "127.1", "2130706433", "0x7f000001", "0x7f.1"],
        *["0177.0.0.1", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]"],
        *["127.0.0.2", "[fe80::1%25lo]", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "user:pass@127.0.0.1"],
    ],
)
async def test_no_way_of_writing_loopback_gets_there(careful: Outbound, name: str) -> None:
    async with running(Host(says("secrets"))) as host:
        with pytest.raises(OutboundRefused):
            await get(careful, f"http://{name}:{host.port}/")
    assert host.asked == []


@pytest.mark.parametrize("name", ["127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "0", "1.2.3.4.5"])
async def test_a_number_that_is_no_address_is_refused_before_anybody_interprets_it(
    outbound: Outbound, name: str
) -> None:
    with pytest.raises(OutboundRefused, match="neither a name nor an address"):
        await get(outbound, f"http://{name}:9/")


@pytest.mark.parametrize("inside", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1"], ["fe80::1%1"]])
async def test_a_name_with_an_address_inside_is_refused(
    careful: Outbound, monkeypatch: pytest.MonkeyPatch, inside: list[str]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [found(address) for address in inside])
    with pytest.raises(OutboundRefused, match=r"http\.example is not at a public address"):
        await get(careful, "http://http.example/")


def found(address: str) -> tuple[socket.AddressFamily, int, int, str, tuple[str, int]]:
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    return kind, socket.SOCK_STREAM, 6, "", (address, 0)


async def test_the_address_that_was_looked_at_is_the_one_connected_to(
    only_second: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["127.0.0.2", "127.0.0.1", "127.0.0.1", "127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [found(next(answers))])
    async with (
        running(Host(says("outside"), "127.0.0.2")) as outside,
        running(Host(says("inside"), port=outside.port)) as inside,
    ):
        response = await get(only_second, f"http://rebinding.example:{outside.port}/")
    assert response.body == b"outside"
    assert inside.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_the_inside_is_refused(only_second: Outbound, status: int) -> None:
    async with (
        running(Host(says("inside"))) as inside,
        running(Host(redirects(f"{inside.url}/admin", status), "127.0.0.2")) as outside,
    ):
        with pytest.raises(OutboundRefused, match="not a public address"):
            await get(only_second, outside.url)
    assert len(outside.asked) == 1
    assert inside.asked == []


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://[::1"])
async def test_a_redirect_to_something_else_than_http_is_refused(outbound: Outbound, location: str) -> None:
    async with running(Host(redirects(location))) as host:
        with pytest.raises(OutboundRefused):
            await get(outbound, host.url)


async def countdown(request: web.Request) -> web.StreamResponse:
    """``/3`` redirects to ``/2``, and so on to ``/0``."""
    left = int(request.path[1:])
    return web.Response(text="there") if left == 0 else web.Response(status=302, headers={"Location": str(left - 1)})


async def test_three_redirects_are_followed_and_no_more(outbound: Outbound) -> None:
    async with running(Host(countdown)) as host:
        assert (await get(outbound, f"{host.url}/3")).body == b"there"
        with pytest.raises(OutboundFailed, match="more than 3 times"):
            await get(outbound, f"{host.url}/4")


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_post_is_never_turned_into_a_get(outbound: Outbound, status: int) -> None:
    async with running(Host(redirects("/elsewhere", status))) as host:
        response = await outbound.fetch("POST", host.url, body=b"report", most_bytes=1000, timeout=10)
    assert response.status == status
    assert len(host.asked) == 1


@pytest.mark.parametrize("status", [307, 308])
async def test_a_post_is_redirected_as_a_post(outbound: Outbound, status: int) -> None:
    async def once(request: web.Request) -> web.StreamResponse:
        return await (redirects("/elsewhere", status) if request.path == "/" else says("taken"))(request)

    async with running(Host(once)) as host:
        response = await outbound.fetch("POST", host.url, body=b"report", most_bytes=1000, timeout=10)
    assert response.body == b"taken"
    assert [(method, target, body) for method, target, _, body in host.asked] == [
        ("POST", "/", b"report"),
        ("POST", "/elsewhere", b"report"),
    ]


async def test_credentials_do_not_follow_a_redirect_to_another_server(outbound: Outbound) -> None:
    headers = {"Authorization": "Bearer t0ps3cret", "Cookie": "a=b", "Color": "red"}
    async with running(Host(says("there"))) as other, running(Host(redirects(f"{other.url}/"))) as host:
        url = host.url.replace("http://", "http://alice:hunter2@")
        await outbound.fetch("GET", host.url, headers=headers, most_bytes=1000, timeout=10)
        await get(outbound, url)
    assert host.asked[0][2]["Authorization"] == "Bearer t0ps3cret"
    assert host.asked[1][2]["Authorization"].startswith("Basic ")
    for _, _, sent, _ in other.asked:
        assert sent.keys().isdisjoint({"Authorization", "Cookie"})
    assert other.asked[0][2]["Color"] == "red"


async def test_a_body_is_read_up_to_its_limit(outbound: Outbound) -> None:
    async with running(Host(says("x" * 1000))) as host:
        whole = await get(outbound, host.url, most_bytes=1000)
        not_read = await get(outbound, host.url, most_bytes=999)
    async with raw_host(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000) as url:
        cut = await get(outbound, url, most_bytes=999)
    assert (len(whole.body), whole.truncated) == (1000, False)
    assert (len(not_read.body), not_read.truncated) == (0, True)
    assert (len(cut.body), cut.truncated) == (999, True)


async def test_an_endless_body_is_cut(outbound: Outbound) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))

    async with running(Host(endless)) as host:
        response = await get(outbound, host.url, most_bytes=1_000_000)
    assert (len(response.body), response.truncated) == (1_000_000, True)


async def test_a_content_length_is_not_believed(outbound: Outbound) -> None:
    async with raw_host(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort") as url:
        response = await get(outbound, url)
    assert (response.status, response.body) == (200, b"short")
    assert response.broken is not None
    assert response.broken.endswith("the connection broke off")


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 OK\r\n\r\n", b"", b"HTTP/1.1"])
async def test_what_does_not_speak_http_has_failed(outbound: Outbound, answer: bytes) -> None:
    async with raw_host(answer) as url:
        with pytest.raises(OutboundFailed) as failed:
            await get(outbound, url)
    assert failed.value.id == "OUTBOUND_FAILED"


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 "])
async def test_a_server_that_stops_talking_is_left_in_time(outbound: Outbound, beginning: bytes) -> None:
    started = time.monotonic()
    async with raw_host(beginning, then_wait=True) as url:
        with pytest.raises(OutboundFailed, match="did not answer in time"):
            await get(outbound, url, timeout=0.5)
    assert 0.5 <= time.monotonic() - started < 20


async def test_the_time_is_for_all_redirects_together(outbound: Outbound) -> None:
    async def slowly(request: web.Request) -> web.StreamResponse:
        await asyncio.wait([asyncio.ensure_future(request.read())], timeout=0.4)
        await asyncio.sleep(0.4)  # the server's slowness is what is tested
        return await countdown(request)

    async with running(Host(slowly)) as host:
        with pytest.raises(OutboundFailed, match="in time"):
            await get(outbound, f"{host.url}/3", timeout=1.0)


async def test_compressed_bodies_stay_as_they_are(outbound: Outbound) -> None:
    bomb = gzip.compress(bytes(1_000_000))

    async def compressed(_: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with running(Host(compressed)) as host:
        response = await get(outbound, host.url, most_bytes=10_000)
    assert response.body == bomb
    assert host.asked[0][2]["Accept-Encoding"] == "identity"


async def test_a_proxy_of_the_environment_is_not_used(outbound: Outbound, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with running(Host(says("direct"))) as host:
        assert (await get(outbound, host.url)).body == b"direct"


async def test_cookies_are_not_carried_from_one_caller_to_the_next(outbound: Outbound) -> None:
    async with running(Host(says("here", headers={"Set-Cookie": "session=alice"}))) as host:
        await get(outbound, host.url)
        await get(outbound, host.url)
    assert "Cookie" not in host.asked[1][2]


async def test_headers_that_frame_the_request_are_ours(outbound: Outbound) -> None:
    wrong = {"Host": "inside.example", "content-length": "3", "Transfer-Encoding": "chunked", "Connection": "upgrade"}
    async with running(Host(says("taken"))) as host:
        await outbound.fetch("POST", host.url, headers=wrong, body=b"whole", most_bytes=1000, timeout=10)
    ((_, _, headers, body),) = host.asked
    assert headers["Host"] == f"127.0.0.1:{host.port}"
    assert body == b"whole"


@pytest.mark.parametrize("header", [("Kind", "a\r\nEvil: b"), ("Kind\r\nEvil", "b"), ("Kind", "a\0")])
async def test_a_header_that_would_be_two_is_refused(outbound: Outbound, header: tuple[str, str]) -> None:
    async with running(Host(says("taken"))) as host:
        with pytest.raises(OutboundRefused):
            await outbound.fetch("GET", host.url, headers=dict([header]), most_bytes=1000, timeout=10)
    assert all("Evil" not in headers for _, _, headers, _ in host.asked)


async def test_a_port_where_nobody_listens_has_failed(outbound: Outbound) -> None:
    async with running(Host(says("gone"))) as host:
        port = host.port
    with pytest.raises(OutboundFailed, match="no connection"):
        await get(outbound, f"http://127.0.0.1:{port}/")


async def test_an_unknown_name_has_failed(outbound: Outbound, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(OutboundFailed, match="its name is not known"):
        await get(outbound, "http://nobody.example/")


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(outbound: Outbound, tmp_path: Path) -> None:
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "certificate.pem")]
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *files]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    async with running(Host(says("secret"), identity=identity)) as host:
        with pytest.raises(OutboundFailed, match="certificate is not trusted"):
            await get(outbound, f"https://127.0.0.1:{host.port}/")
        with pytest.raises(OutboundFailed):
            await get(outbound, f"http://127.0.0.1:{host.port}/")
    assert host.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://alice:hunter2@127.0.0.1:9/token?t0ps3cret",
        "http://alice:hunter2@127.1/token?t0ps3cret",
        "ftp://alice:hunter2@example.com/token?t0ps3cret",
        "http://alice:hunter2@127.0.0.1:hunter2/token?t0ps3cret",
        "http://alice:hunter2@[::1/token?t0ps3cret",
        "http://alice:hunter2@" + "x" * 70 + ".example/token?t0ps3cret",
        "http://alice:hunter2@bad_name..example/token?t0ps3cret",
    ],
)
async def test_an_error_names_the_server_and_nothing_more(outbound: Outbound, url: str) -> None:
    with pytest.raises((OutboundRefused, OutboundFailed)) as failed:
        await get(outbound, url)
    told = "".join(traceback.format_exception(failed.value, limit=0))
    assert not any(secret in told for secret in SECRETS)


async def test_a_redirected_error_names_the_server_and_nothing_more(outbound: Outbound) -> None:
    async with running(Host(redirects("http://alice:hunter2@127.0.0.1:9/token?t0ps3cret"))) as host:
        with pytest.raises(OutboundFailed, match=r"http://127\.0\.0\.1:9: no connection") as failed:
            await get(outbound, host.url)
    told = "".join(traceback.format_exception(failed.value, limit=0))
    assert not any(secret in told for secret in SECRETS)

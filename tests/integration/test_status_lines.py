"""The status line decides: against servers whose answers are broken, cut, endless or nonsense behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.base.outbound import Outbound, OutboundFailed, Response
from bridge.calls.requests import send_request
from bridge.messages.message import Bulk, Content, Message, Notify
from bridge.reports import push as push_module
from bridge.reports.push import Pusher
from bridge.scripts.verbs.request import Request
from bridge.store import Push, Store
from tests.raw_server import Ending, answering

NOW = datetime.now(UTC)

ODDITIES: dict[str, tuple[bytes, Ending]] = {
    "nothing more": (b"\r\n", "close"),
    "an end in the middle of the line": (b"", "close"),
    "an end in the headers": (b" OK\r\nServer: x\r\nConte", "close"),
    "headers that stop": (b" OK\r\nServer: x\r\nConte", "wait"),
    "headers without end": (b" OK\r\nServer: ", "endless"),
    "a body where there is none": (b" No Content\r\n\r\nunexpected", "close"),
    "a body where there is none, counted": (b" No Content\r\nContent-Length: 10\r\n\r\nunexpected", "keep"),
    "a body too short": (b" OK\r\nContent-Length: 1000\r\n\r\nshort", "close"),
    "a body that stops": (b" OK\r\nContent-Length: 1000\r\n\r\nshort", "wait"),
    "a body too long": (b" OK\r\nContent-Length: 2\r\n\r\ntoo long", "keep"),
    "a body without end": (b" OK\r\n\r\n", "endless"),
    "a broken chunk": (b" OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbroken", "close"),
    "a second chunk that is broken": (b" OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n-1\r\n", "close"),
    "chunks that end early": (b" OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", "close"),
    "two lengths": (b" OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", "close"),
    "a length and chunks": (b" OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "close"),
    "a length that is none": (b" OK\r\nContent-Length: -1\r\n\r\nok", "close"),
    "a header of 9 KB": (b" OK\r\nCookies: " + b"c" * 9000 + b"\r\nContent-Length: 0\r\n\r\n", "keep"),
    "a header of 90 KB": (b" OK\r\nCookies: " + b"c" * 90_000 + b"\r\nContent-Length: 0\r\n\r\n", "keep"),
    "a thousand headers": (b" OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n", "close"),
    "headers that are none": (b" OK\r\nno colon\r\n: no name\r\n\x00\xff\r\n\r\n", "close"),
    "lines that end in LF alone": (b" OK\nContent-Length: 2\n\nok", "close"),
    "letters of another alphabet": (" Принято\r\nÜber: ß\r\n\r\n".encode(), "close"),
    "compression that is none": (b" OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain", "keep"),
    "another answer": (b" OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "keep"),
}
ENDINGS: list[Ending] = ["close", "close", "close", "keep", "endless"]
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"


@asynccontextmanager
async def going_out() -> AsyncIterator[Outbound]:
    outbound = Outbound(allow_private=True)
    await outbound.start()
    try:
        yield outbound
    finally:
        await outbound.close()


async def posted(answer: bytes, ending: Ending, timeout: float = 0.3) -> Response:  # noqa: ASYNC109 - it is passed on
    async with going_out() as outbound, answering(answer, ending) as host:
        return await outbound.fetch("POST", host.url, body=b"{}", most_bytes=50_000, timeout=timeout)


@pytest.mark.parametrize("status", [200, 204, 299, 404, 503])
@pytest.mark.parametrize("oddity", ODDITIES)
async def test_a_status_line_is_an_answer(oddity: str, status: int) -> None:
    rest, ending = ODDITIES[oddity]
    assert (await posted(b"HTTP/1.1 %d" % status + rest, ending)).status == status


@pytest.mark.parametrize("oddity", ODDITIES)
async def test_interim_answers_are_not_the_answer(oddity: str) -> None:
    rest, ending = ODDITIES[oddity]
    assert (await posted(INTERIM + b"HTTP/1.1 201" + rest, ending)).status == 201


@pytest.mark.parametrize(
    "answer",
    [
        *[b"", b"\r\n", b"HTTP/1.1", b"HTTP/1.1 ", b"HTTP/1.1 20", b"HTTP/1.1 2000 OK\r\n\r\n", b"200 OK\r\n\r\n"],
        *[b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n", INTERIM, b"<html>HTTP/1.1 200 OK\r\n\r\n"],
        *[b"HTTP/1.1 101 Switching\r\n", b"HTTP/1.1 -20 OK\r\n\r\n"],
    ],
)
async def test_without_a_final_status_there_is_no_answer(answer: bytes) -> None:
    with pytest.raises(OutboundFailed):
        await posted(answer, "close")


@settings(max_examples=60)
@given(
    status=st.integers(200, 599),
    before=st.sampled_from([b"", INTERIM]),
    headers=st.lists(
        st.one_of(
            st.sampled_from(
                [
                    *[b"Content-Length: 3", b"Content-Length: 4", b"Content-Length: x", b"Content-Length: 9" * 30],
                    *[b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Connection: close", b" folded"],
                    *[b"Connection: upgrade", b"Upgrade: h2c", b"Trailer: x", b"Content-Type: \xff", b"Date: a"],
                ]
            ),
            st.binary(max_size=30),
        ),
        max_size=5,
    ),
    body=st.binary(max_size=200),
    ending=st.sampled_from(ENDINGS),
)
def test_whatever_follows_the_status_line(
    status: int, before: bytes, headers: list[bytes], body: bytes, ending: Ending
) -> None:
    """A redirect without a place to go to is an answer too."""
    answer = before + b"\r\n".join([b"HTTP/1.1 %d Some reason" % status, *headers, b"", body])
    assert asyncio.run(posted(answer, ending, timeout=0.2)).status == status


@pytest.mark.parametrize("together", [True, False])
async def test_what_a_server_says_unasked_is_no_answer_to_the_next_request(together: bool) -> None:
    refusal, consent = (b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % line for line in (b"503 No", b"200 OK"))
    async with going_out() as outbound, answering(refusal + (consent if together else b""), "keep") as host:
        await outbound.fetch("POST", host.url, body=b"1", most_bytes=1000, timeout=5)
        if not together:
            await host.say(consent)
        host.answer = refusal
        second = await outbound.fetch("POST", host.url, body=b"2", most_bytes=1000, timeout=5)
    assert second.status == 503
    assert host.connections == 2


async def test_connections_are_used_again() -> None:
    async with going_out() as outbound, answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "keep") as host:
        for _ in range(3):
            response = await outbound.fetch("POST", host.url, body=b"{}", most_bytes=1000, timeout=5)
            assert (response.body, response.broken) == (b"ok", None)
    assert host.connections == 1


async def test_a_redirect_is_followed_whatever_its_body_is() -> None:
    async with going_out() as outbound, answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as there:
        away = b"HTTP/1.1 307 Away\r\nLocation: %b\r\nContent-Length: 1000\r\n\r\nshort" % there.url.encode()
        async with answering(away) as here:
            response = await outbound.fetch("POST", here.url, body=b"{}", most_bytes=1000, timeout=5)
    assert (response.status, response.body) == (200, b"ok")


# Reports


async def outcome_of_push(folder: Path, answer: bytes, ending: Ending) -> tuple[int, list[Push]]:
    """How often it was posted, and what is to be posted again."""
    store = Store(f"sqlite:///{folder / 'test.db'}")
    async with going_out() as outbound, answering(answer, ending) as host:
        message = Message("m1", "41793026727", None, Content(text="Hello", notify=Notify(host.url)), NOW, NOW)
        await store.messages.accept(Bulk("b1", "acme", NOW, [message]))
        await store.messages.expire(now=NOW, status_id=15, error_id=5408, limit=10)
        pushing = asyncio.create_task(Pusher(outbox=store.outbox, outbound=outbound, key=None).run())
        async with asyncio.timeout(20):
            while await _is_under_way(store):
                await asyncio.wait([pushing], timeout=0.01)
        pushing.cancel()
        await asyncio.wait([pushing])
        asked = len(host.asked)
    in_a_month = NOW + timedelta(days=30)
    again = await store.outbox.claim(now=in_a_month, until=in_a_month, busy={}, most_at_once=8, limit=10)
    await store.close()
    return asked, again


async def _is_under_way(store: Store) -> bool:
    waiting = "SELECT count(*) FROM outbox WHERE done_at IS NULL AND tries = 0"
    return bool(await store._database.read(lambda connection: connection.exec_driver_sql(waiting).scalar_one()))


@pytest.mark.parametrize("oddity", ODDITIES)
async def test_a_report_that_was_taken_is_pushed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, oddity: str
) -> None:
    monkeypatch.setattr(push_module, "_ANSWER_SECONDS", 0.5)
    rest, ending = ODDITIES[oddity]
    assert await outcome_of_push(tmp_path, b"HTTP/1.1 204" + rest, ending) == (1, [])


@pytest.mark.parametrize("answer", [b"HTTP/1.1 500 No\r\n", b"HTTP/1.1 302", b"HTTP/1.1 100 Continue\r\n\r\n", b""])
async def test_a_report_that_was_not_taken_is_pushed_again(tmp_path: Path, answer: bytes) -> None:
    asked, again = await outcome_of_push(tmp_path, answer, "close")
    assert (asked, [push.tries for push in again]) == (1, [1])


# Requests of scripts


@pytest.mark.parametrize("oddity", ODDITIES)
async def test_a_script_learns_the_status(monkeypatch: pytest.MonkeyPatch, oddity: str) -> None:
    monkeypatch.setattr("bridge.calls.requests.AWAITED_SECONDS", 0.5)
    rest, ending = ODDITIES[oddity]
    async with going_out() as outbound, answering(b"HTTP/1.1 202" + rest, ending) as host:
        responded = await send_request(outbound, request_to(host.url))
    assert (responded.status, len(host.asked)) == (202, 1)


@pytest.mark.parametrize(
    "framing", [b"Transfer-Encoding: chunked\r\n\r\nf\r\n", b"Content-Length: 99\r\n\r\n", b"\r\n"]
)
@pytest.mark.parametrize("ending", ["close", "wait"])
async def test_a_script_gets_what_there_is_of_the_answer(
    monkeypatch: pytest.MonkeyPatch, framing: bytes, ending: Ending
) -> None:
    monkeypatch.setattr("bridge.calls.requests.AWAITED_SECONDS", 0.5)
    answer = b"HTTP/1.1 200 OK\r\n" + framing + b'{"balance": 12}'
    async with going_out() as outbound, answering(answer, ending) as host:
        responded = await send_request(outbound, request_to(host.url))
    assert (responded.status, responded.members) == (200, {"balance": 12})


def request_to(url: str) -> Request:
    return Request(1, url, "POST", (), "{}", awaited=True)

"""Reports are pushed to a real receiver that takes them, fails, is slow, or closes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bridge.base.outbound import Outbound
from bridge.messages.message import Bulk, Content, Message, Notify
from bridge.reports.push import Pusher, wait_before_retry
from bridge.reports.signature import signing_key
from bridge.store import Push, Store
from tests import claims

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdefghijklmnopqrstuv").decode()
NOW = datetime.now(UTC)


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An application that reports are pushed to; what it answers is the test's to say."""

    answers: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    holding: asyncio.Event | None = None
    closing: bool = False
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.received.append(Received(request.path, dict(request.headers), await request.read()))
            if self.closing and request.transport is not None:
                request.transport.close()
            if self.holding is not None:
                await self.holding.wait()
            return web.Response(status=self.answers.pop(0) if self.answers else 200)
        finally:
            self.at_once -= 1

    @property
    def ids(self) -> list[str]:
        return [json.loads(each.body)["results"][0]["messageId"] for each in self.received]


@asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[Receiver]:
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/reports"))
        yield receiver
        if receiver.holding is not None:
            receiver.holding.set()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving(Receiver()) as receiver:
        yield receiver


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    yield store
    await store.close()


@asynccontextmanager
async def pushing(store: Store, key: bytes | None = signing_key(SECRET)) -> AsyncIterator[Pusher]:
    outbound = Outbound(allow_private=True)
    await outbound.start()
    pusher = Pusher(outbox=store.outbox, outbound=outbound, key=key)
    task = asyncio.create_task(pusher.run())
    try:
        yield pusher
    finally:
        task.cancel()
        await asyncio.wait((task,))
        await outbound.close()


async def finished(
    store: Store,
    url: str,
    *ids: str,
    content_type: Literal["application/json", "application/xml"] = "application/json",
    version: Literal[1, 2] = 2,
) -> None:
    """Calls to each of the ids, which were answered and are over."""
    content = Content(text="Hello", notify=Notify(url, content_type, version), callback_data="order 7 <&>\x01")
    later = NOW + timedelta(hours=1)
    messages = [Message(name, "41793026727", "38515507799", content, NOW, later) for name in ids]
    await store.messages.accept(Bulk(f"bulk-of-{ids[0]}", "acme", NOW, messages))
    for claim in await claims.claim(store, NOW):
        attempt = replace(claim.attempt, ended_at=NOW, status_id=5, error_id=5000)
        await store.calls.finish(claim.key, attempt, status_id=5, error_id=5000, done_at=NOW)


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        await asyncio.sleep(0.01)


async def claimed(store: Store, now: datetime) -> list[Push]:
    return await store.outbox.claim(now=now, until=now + timedelta(minutes=1), busy={}, most_at_once=8, limit=100)


async def settled(store: Store) -> bool:
    """Whether nothing is under way: all is delivered, or waits for its next try."""
    waiting: int = await store._database.read(
        lambda connection: connection.exec_driver_sql(
            "SELECT count(*) FROM outbox WHERE done_at IS NULL AND tries = 0"
        ).scalar_one()
    )
    return waiting == 0


async def wait_until_settled(store: Store) -> None:
    deadline = time.monotonic() + 30
    while not await settled(store):
        assert time.monotonic() < deadline, "pushes were not settled in time"
        await asyncio.sleep(0.01)


async def test_a_report_is_pushed_as_json_and_not_handed_out(store: Store, receiver: Receiver) -> None:
    await finished(store, f"{receiver.url}?token=1", "m1")
    assert await store.reports.take("acme") == []
    async with pushing(store):
        await until(lambda: receiver.received)
    (pushed,) = receiver.received
    assert pushed.headers["Content-Type"] == "application/json"
    (result,) = json.loads(pushed.body)["results"]
    assert result["messageId"] == "m1"
    assert result["callbackData"] == "order 7 <&>\x01"
    assert result["voiceCall"]["feature"] == "Text-to-Speech"
    assert result["error"]["id"] == 5000


async def test_version_1_is_flat(store: Store, receiver: Receiver) -> None:
    await finished(store, receiver.url, "m1", version=1)
    async with pushing(store):
        await until(lambda: receiver.received)
    (result,) = json.loads(receiver.received[0].body)["results"]
    assert result["doneAt"]
    assert "voiceCall" not in result


async def test_xml_is_well_formed_whatever_the_application_sent(store: Store, receiver: Receiver) -> None:
    await finished(store, receiver.url, "m1", content_type="application/xml")
    async with pushing(store):
        await until(lambda: receiver.received)
    (pushed,) = receiver.received
    assert pushed.headers["Content-Type"] == "application/xml"
    root = ElementTree.fromstring(pushed.body)  # noqa: S314  it is our own
    assert root.findtext("result/messageId") == "m1"
    assert root.findtext("result/voiceCall/duration") == "0"
    assert root.findtext("result/error/permanent") == "true"
    assert root.findtext("result/callbackData") == "order 7 <&>�"
    assert root.find("result/mccMnc") is None


async def test_the_signature_is_what_the_specification_says(store: Store, receiver: Receiver) -> None:
    await finished(store, receiver.url, "m1")
    async with pushing(store):
        await until(lambda: receiver.received)
    (pushed,) = receiver.received
    name, at = pushed.headers["webhook-id"], pushed.headers["webhook-timestamp"]
    assert abs(int(at) - time.time()) < 60
    key = base64.b64decode(SECRET.split("_")[1])
    expected = hmac.new(key, name.encode() + b"." + at.encode() + b"." + pushed.body, hashlib.sha256).digest()
    version, _, signature = pushed.headers["webhook-signature"].partition(",")
    assert (version, base64.b64decode(signature)) == ("v1", expected)


async def test_without_a_secret_nothing_is_signed(store: Store, receiver: Receiver) -> None:
    await finished(store, receiver.url, "m1")
    async with pushing(store, key=None):
        await until(lambda: receiver.received)
    assert "webhook-signature" not in receiver.received[0].headers
    assert receiver.received[0].headers["webhook-id"]


@pytest.mark.parametrize("trouble", ["500", "301", "close", "nobody"])
async def test_a_push_that_fails_is_made_again_with_the_same_id_and_then_never(
    store: Store, receiver: Receiver, trouble: str
) -> None:
    receiver.answers = {"500": [500], "301": [301]}.get(trouble, [])
    receiver.closing = trouble == "close"
    url = "http://127.0.0.1:9/reports" if trouble == "nobody" else receiver.url
    await finished(store, url, "m1")
    async with pushing(store):
        await wait_until_settled(store)
    assert len(receiver.received) == (0 if trouble == "nobody" else 1)
    due = datetime.now(UTC) + wait_before_retry(1)
    assert await claimed(store, due - timedelta(seconds=30)) == []
    (again,) = await claimed(store, due)
    assert (again.tries, again.report.message.id) == (1, "m1")
    assert await store.reports.take("acme") == []

    if trouble != "nobody":
        receiver.closing = False
        await store.outbox.retry(again, NOW, "as if its time had come")
        async with pushing(store):
            await until(lambda: len(receiver.received) == 2)
        first, second = receiver.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        assert await claimed(store, NOW + timedelta(days=30)) == []


async def test_after_the_last_retry_a_report_is_given_up(store: Store, receiver: Receiver) -> None:
    await finished(store, receiver.url, "m1")
    tries = 0
    receiver.answers = [500] * 100
    while waiting := await claimed(store, NOW + timedelta(days=30 + tries)):
        tries += 1
        await store.outbox.retry(waiting[0], NOW, "HTTP status 500")
        if tries == 20:
            break
    async with pushing(store):
        await until(lambda: receiver.received)
    assert await claimed(store, NOW + timedelta(days=90)) == []
    assert len(receiver.received) == 1


async def test_a_slow_server_holds_up_only_itself(store: Store, receiver: Receiver) -> None:
    async with receiving(Receiver(holding=asyncio.Event())) as slow:
        await finished(store, slow.url, *(f"slow-{n}" for n in range(40)))
        await finished(store, receiver.url, *(f"fast-{n}" for n in range(40)))
        async with pushing(store):
            await until(lambda: (len(receiver.received), len(slow.received)) == (40, 8))
            assert slow.most_at_once == 8
            assert slow.holding is not None
            slow.holding.set()
            await until(lambda: len(slow.received) == 40)
    assert sorted(receiver.ids) == sorted(f"fast-{n}" for n in range(40))
    assert len(set(slow.ids)) == 40
    assert receiver.most_at_once <= 8


async def test_two_nodes_do_not_push_a_report_twice(tmp_path: Path, receiver: Receiver) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    here, there = Store(url), Store(url)
    await finished(here, receiver.url, *(f"m{n}" for n in range(50)))
    async with pushing(here), pushing(there):
        await until(lambda: len(set(receiver.ids)) == 50)
        await wait_until_settled(here)
    assert sorted(receiver.ids) == sorted(f"m{n}" for n in range(50))
    await here.close()
    await there.close()


async def test_what_a_killed_node_had_leased_is_pushed_by_the_next_one(tmp_path: Path, receiver: Receiver) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    killed = Store(url)
    await finished(killed, receiver.url, "m1", "m2")
    soon = datetime.now(UTC) + timedelta(seconds=1)
    assert len(await killed.outbox.claim(now=soon, until=soon, busy={}, most_at_once=8, limit=100)) == 2
    await killed.close()

    restarted = Store(url)
    async with pushing(restarted):
        await until(lambda: len(receiver.received) == 2)
    await restarted.close()


async def test_one_whose_lease_is_over_cannot_disturb_the_one_who_has_it(store: Store, receiver: Receiver) -> None:
    await finished(store, receiver.url, "m1")
    (mine,) = await claimed(store, NOW)
    (theirs,) = await claimed(store, NOW + timedelta(minutes=2))
    await store.outbox.retry(mine, NOW, "too late to tell")
    assert await claimed(store, NOW + timedelta(minutes=2)) == []
    await store.outbox.delivered(theirs, NOW)
    assert await claimed(store, NOW + timedelta(days=1)) == []


async def test_a_private_address_is_not_gone_to(store: Store, receiver: Receiver) -> None:
    await finished(store, receiver.url, "m1")
    outbound = Outbound()
    await outbound.start()
    task = asyncio.create_task(Pusher(outbox=store.outbox, outbound=outbound, key=None).run())
    await wait_until_settled(store)
    task.cancel()
    await asyncio.wait((task,))
    await outbound.close()
    assert receiver.received == []


async def test_a_message_that_expired_is_pushed_too(store: Store, receiver: Receiver) -> None:
    content = Content(text="Hello", notify=Notify(receiver.url))
    message = Message("m1", "41793026727", None, content, NOW, NOW)
    await store.messages.accept(Bulk("b1", "acme", NOW, [message]))
    await store.messages.expire(now=NOW, status_id=15, error_id=5408, limit=10)
    async with pushing(store):
        await until(lambda: receiver.received)
    (result,) = json.loads(receiver.received[0].body)["results"]
    assert result["status"]["name"] == "EXPIRED_EXPIRED"

"""PostgreSQL restarted, crashed and cut off in the middle of a commit, under a store that goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import Connection, text

from bridge.messages.message import Bulk, Content, Message
from bridge.messages.progress import State
from bridge.store import CommitUnknown, Store, StoreFailed
from tests.postgres import Postgres, StopMode, running_postgres

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def bulk(name: str) -> Bulk:
    message = Message(
        id=name, to="99900001", sender=None, content=Content(text="Hello"), send_at=NOW,
        expires_at=NOW + timedelta(hours=48),
    )  # fmt: skip
    return Bulk(id=f"bulk-of-{name}", account="acme", created_at=NOW, messages=[message])


@pytest.fixture(scope="module")
def durable_postgres() -> Iterator[Postgres]:
    with running_postgres(durable=True) as postgres:
        yield postgres


@pytest.fixture
async def store(durable_postgres: Postgres) -> AsyncIterator[Store]:
    store = Store(durable_postgres.new_database())
    yield store
    await store.close()


@dataclass
class Proxy:
    """Stands between a store and its server.

    ``cut_before`` and ``cut_after`` are words of a statement: the connection is cut when it is about to reach the
    server, or when the server has done it and is about to answer. Both work once.
    """

    server_port: int
    port: int = 0
    cut_before: bytes | None = None
    cut_after: bytes | None = None

    async def serve(self, from_store: asyncio.StreamReader, to_store: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.server_port)
        answering = asyncio.create_task(_pass_on(from_server, to_store))
        try:
            while data := await from_store.read(65536):
                if self.cut_before and self.cut_before in data:
                    self.cut_before = None
                    break
                if self.cut_after and self.cut_after in data:
                    self.cut_after = None
                    answering.cancel()
                    await asyncio.wait([answering])
                    to_server.write(data)
                    await from_server.read(1)
                    break
                to_server.write(data)
        finally:
            answering.cancel()
            to_store.transport.abort()
            to_server.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)


@pytest.fixture
async def proxy(durable_postgres: Postgres) -> AsyncIterator[Proxy]:
    proxy = Proxy(durable_postgres.port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    yield proxy
    server.close()


@pytest.fixture
async def far_store(durable_postgres: Postgres, proxy: Proxy) -> AsyncIterator[Store]:
    url = durable_postgres.new_database().replace(f":{durable_postgres.port}/", f":{proxy.port}/")
    store = await asyncio.to_thread(Store, url)
    yield store
    await store.close()


async def is_kept(store: Store, name: str) -> bool:
    return await store.bulks.counts("acme", f"bulk-of-{name}") == {State.QUEUED: 1}


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_restart_is_not_noticed_by_what_comes_after_it(
    store: Store, durable_postgres: Postgres, mode: StopMode
) -> None:
    await store.messages.accept(bulk("before"))
    await asyncio.to_thread(durable_postgres.restart, mode)
    assert await is_kept(store, "before")
    await asyncio.to_thread(durable_postgres.restart, mode)
    await store.messages.accept(bulk("after"))
    assert await is_kept(store, "after")


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_whatever_was_answered_under_a_restart_is_kept_once(
    store: Store, durable_postgres: Postgres, mode: StopMode
) -> None:
    answered: list[str] = []
    after: list[str] = []
    refused: list[str] = []
    is_back, over = asyncio.Event(), asyncio.Event()

    async def send(client: int) -> None:
        for number in count():
            name = f"{client}-{number}"
            try:
                await store.messages.accept(bulk(name))
            except StoreFailed:
                refused.append(name)
            else:
                (after if is_back.is_set() else answered).append(name)
            if len(after) > 100:
                over.set()
            if over.is_set():
                return

    clients = [asyncio.create_task(send(client)) for client in range(10)]
    await asyncio.to_thread(durable_postgres.restart, mode)
    is_back.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*clients)
    assert refused
    assert [name for name in answered + after if not await is_kept(store, name)] == []


async def test_a_server_that_is_away_refuses_at_once(store: Store, durable_postgres: Postgres) -> None:
    await asyncio.to_thread(durable_postgres.stop, "fast")
    async with asyncio.timeout(20):
        outcomes = await asyncio.gather(
            *(store.messages.accept(bulk(f"m{n}")) for n in range(50)), return_exceptions=True
        )
    assert {type(outcome) for outcome in outcomes} == {StoreFailed}
    with pytest.raises(StoreFailed):
        await store.messages.progress("acme", "m1")
    await asyncio.to_thread(durable_postgres.start)
    await store.messages.accept(bulk("m1"))
    assert await is_kept(store, "m1")


async def test_nothing_is_done_again_when_the_answer_to_a_commit_is_lost(far_store: Store, proxy: Proxy) -> None:
    proxy.cut_after = b"COMMIT"
    outcomes = await asyncio.gather(
        *(far_store.messages.accept(bulk(f"m{n}")) for n in range(20)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} - {type(None)} == {CommitUnknown}
    for number in range(20):
        assert await is_kept(far_store, f"m{number}")


async def test_a_commit_that_never_arrived_is_not_taken_for_done(far_store: Store, proxy: Proxy) -> None:
    proxy.cut_before = b"COMMIT"
    with pytest.raises(CommitUnknown):
        await far_store.messages.accept(bulk("m1"))
    assert not await is_kept(far_store, "m1")
    await far_store.messages.accept(bulk("m1"))


async def test_work_is_done_again_when_the_connection_broke_before_its_commit(far_store: Store, proxy: Proxy) -> None:
    proxy.cut_after = b"INSERT INTO bulks"
    await far_store.messages.accept(bulk("m1"))
    assert await is_kept(far_store, "m1")


async def test_reading_goes_on_when_its_connection_broke(far_store: Store, proxy: Proxy) -> None:
    await far_store.messages.accept(bulk("m1"))
    proxy.cut_after = b"GROUP BY messages.state"
    assert await is_kept(far_store, "m1")


async def test_two_transactions_that_wait_for_each_other_are_both_done(durable_postgres: Postgres) -> None:
    url = durable_postgres.new_database()
    stores = [Store(url), Store(url)]
    for name in ("a", "b"):
        await stores[0].messages.accept(bulk(name))
    each_has_one = threading.Barrier(2, timeout=30)
    meetings = [0, 0]

    def take(connection: Connection, who: int, names: tuple[str, str]) -> None:
        for place, name in enumerate(names):
            if place == 1 and not meetings[who]:
                meetings[who] = each_has_one.wait() + 1
            connection.execute(
                text("UPDATE bulks SET held = coalesce(held, '') || :who WHERE id = :id"),
                {"who": str(who), "id": f"bulk-of-{name}"},
            )

    await asyncio.gather(
        stores[0]._database.write(take, 0, ("a", "b")),
        stores[1]._database.write(take, 1, ("b", "a")),
    )
    held = [row[0] for row in durable_postgres.execute("SELECT held FROM bulks", url.rpartition("/")[2])]
    assert [sorted(who) for who in held] == [["0", "1"], ["0", "1"]]
    for store in stores:
        await store.close()

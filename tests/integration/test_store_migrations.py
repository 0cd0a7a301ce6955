"""An installation's database goes up to this version and back, and keeps what it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, inspect

from bridge.messages.message import Bulk, Content, Message, Notify
from bridge.messages.progress import State
from bridge.messages.recording import Recording
from bridge.store import LogFilter, Store
from bridge.store.engine import open_engine
from bridge.store.migrations import migrate
from bridge.store.tables import metadata
from tests import claims

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    engine = open_engine(empty_database_url)
    yield engine
    engine.dispose()


def a_message_of_the_first_version(engine: Engine) -> None:
    migrate(engine, "0001")
    rows: dict[str, dict[str, object]] = {
        "bulks": {"key": 1, "account": "acme", "id": "bulk", "created_at": LONG_AGO},
        "contents": {"key": 1, "body": {"text": "Hello"}},
        "messages": {
            "key": 1,
            "bulk_key": 1,
            "content_key": 1,
            "account": "acme",
            "id": "m1",
            "recipient": "99900001",
            "send_at": LONG_AGO,
            "expires_at": LONG_AGO,
            "state": "queued",
            "due_at": LONG_AGO,
            "attempts": 0,
            "status_id": 26,
            "error_id": 0,
        },
    }
    with engine.begin() as connection:
        for table, values in rows.items():
            connection.execute(insert(metadata.tables[table]).values(values))


async def test_a_message_of_the_first_version_is_known_to_this_one(engine: Engine, empty_database_url: str) -> None:
    a_message_of_the_first_version(engine)
    store = Store(empty_database_url)
    progress = await store.messages.progress("acme", "m1")
    assert progress is not None
    assert (progress.state, progress.message.content, progress.sent_at) == (
        State.QUEUED,
        Content(text="Hello"),
        LONG_AGO,
    )
    assert len(await store.messages.logs("acme", LogFilter(LONG_AGO, datetime.now(UTC)), 50)) == 1
    await store.close()


def test_every_migration_can_be_taken_back(engine: Engine) -> None:
    a_message_of_the_first_version(engine)
    newest = migrate(engine)[1]
    assert migrate(engine, "base") == (newest, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]


async def test_what_was_paused_is_called_by_no_version_that_cannot_pause_and_expires(
    engine: Engine, empty_database_url: str
) -> None:
    validity = timedelta(days=2)
    message = Message("m1", "99900001", None, Content(text="Hello"), LONG_AGO, LONG_AGO + validity)
    store = Store(empty_database_url)
    await store.messages.accept(Bulk("bulk", "acme", LONG_AGO, [message]))
    await store.bulks.pause("acme", "bulk")
    await store.close()
    migrate(engine, "0001")
    store = Store(empty_database_url)
    await store.messages.reroute()
    assert await claims.claim(store, LONG_AGO + validity - timedelta(seconds=1)) == []
    assert await store.messages.expire(now=LONG_AGO + validity, status_id=15, error_id=5408, limit=10) == 1
    await store.close()


async def test_calls_and_their_reports_survive_the_way_back_and_forth(engine: Engine, empty_database_url: str) -> None:
    content = Content(text="Hello", notify=Notify("https://example.com/reports"))
    validity = timedelta(days=2)
    messages = [Message(f"m{n}", "99900001", None, content, LONG_AGO, LONG_AGO + validity) for n in range(3)]
    store = Store(empty_database_url)
    await store.messages.accept(Bulk("bulk", "acme", LONG_AGO, messages))
    for claim in await claims.claim(store, LONG_AGO, limit=2):
        recording = Recording(f"r-{claim.attempt.id}", claim.attempt.id, "call", LONG_AGO)
        await store.recordings.begin("acme", claim.key, recording)
        attempt = replace(claim.attempt, ended_at=LONG_AGO, status_id=5, error_id=5000)
        await store.calls.finish(claim.key, attempt, status_id=5, error_id=5000, done_at=LONG_AGO)
    await store.close()

    for revision in ("0004", "0003", "0002", "0001"):
        migrate(engine, revision)

    store = Store(empty_database_url)
    assert await store.bulks.counts("acme", "bulk") == {State.DONE: 2, State.QUEUED: 1}
    reports = [await store.messages.progress("acme", f"m{n}") for n in range(3)]
    assert [report and report.status_id for report in reports] == [5, 5, 26]
    (attempt,) = await store.messages.attempts("acme", "m0")
    assert (attempt.status_id, attempt.ended_at) == (5, LONG_AGO)
    assert await store.messages.reroute() == 1, "what waits has no trunk yet"
    assert len(await claims.claim(store, LONG_AGO)) == 1
    await store.close()


def test_the_migrations_make_the_tables_that_the_code_knows(engine: Engine) -> None:
    migrate(engine)
    made = inspect(engine)
    for table in metadata.tables.values():
        assert {column["name"] for column in made.get_columns(table.name)} == {column.name for column in table.columns}
        assert {index["name"] for index in made.get_indexes(table.name)} >= {index.name for index in table.indexes}

"""An installation's database goes up to this version and back, and keeps what it has."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, insert, inspect

import bridge.store.migrations
from bridge.messages.message import Content
from bridge.messages.progress import State
from bridge.store import LogFilter, Store
from bridge.store.migrations import migrate
from bridge.store.tables import metadata

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)


def migrated_back(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(bridge.store.migrations.__file__).parent))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()


def a_message_of_the_first_version(url: str) -> None:
    engine = create_engine(url)
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
    engine.dispose()


async def test_a_message_of_the_first_version_is_known_to_this_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    a_message_of_the_first_version(url)
    store = Store(url)
    progress = await store.progress("acme", "m1")
    assert progress is not None
    assert (progress.state, progress.message.content, progress.sent_at) == (
        State.QUEUED,
        Content(text="Hello"),
        LONG_AGO,
    )
    assert len(await store.logs("acme", LogFilter(LONG_AGO, datetime.now(UTC)), 50)) == 1
    await store.close()


async def test_every_migration_can_be_taken_back_with_paused_messages_waiting_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    a_message_of_the_first_version(url)
    store = Store(url)
    await store.pause_bulk("acme", "bulk")
    await store.close()
    migrated_back(url, "0001")
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT state FROM messages").scalar_one() == "queued"
    migrated_back(url, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()


def test_the_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'test.db'}")
    migrate(engine)
    made = inspect(engine)
    for table in metadata.tables.values():
        assert {column["name"] for column in made.get_columns(table.name)} == {column.name for column in table.columns}
        assert {index["name"] for index in made.get_indexes(table.name)} >= {index.name for index in table.indexes}
    engine.dispose()

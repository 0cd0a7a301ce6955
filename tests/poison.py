"""Rows that this version cannot read: damaged, or written by another version."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import text

from bridge.store import Store

TOO_LONG = "1" * 5000
"""More digits than Python reads as a number; PostgreSQL takes them as JSON."""

BODIES = {
    "no object": '["text"]',
    "nothing": "null",
    "unreadable JSON": f'{{"text": "Hello", "pause": {TOO_LONG}}}',
    "wrong type": '{"text": ["Hello"]}',
    "a member of a newer version": '{"text": "Hello", "whisper": true}',
    "a nested member of a newer version": '{"text": "Hello", "notify": {"url": "http://127.0.0.1/", "secret": 1}}',
    "a value of a newer version": '{"text": "Hello", "feature": "fax"}',
    "a window that never opens": '{"text": "Hello", "window": {"days": []}}',
    "a period that is none": '{"text": "Hello", "retry": {"min_period": 3, "max_period": 7, "max_count": 4}}',
    "a time beyond all calendars": '{"text": "Hello", "ring_timeout": 1000000000000000}',
}
SCRIPTS = {
    "an action of a newer version": json.dumps({"text": "Hello", "actions": [{"if": "thought", "actionGroup": "a"}]}),
    "a verb of a newer version": json.dumps(
        {
            "feature": "ivr",
            "launch": {"scenario_id": "s", "scenario_name": "S", "script": [{"whistle": "a tune"}]},
        }
    ),
    "a script that is none": '{"feature": "ivr", "launch": {"scenario_id": "s", "scenario_name": "S", "script": [7]}}',
}
"""They can be read, and not be carried out."""


def poison_content(store: Store, message_id: str, body: str) -> None:
    """Put another content in the place of a message's."""
    _change(
        store,
        "UPDATE contents SET body = CAST(:value AS JSON)"
        " WHERE key IN (SELECT content_key FROM messages WHERE id = :id)",
        {"value": body, "id": message_id},
    )


def poison_attempt(store: Store, message_id: str, column: str, value: str) -> None:
    """Put another value into a column of JSON of a message's attempts."""
    _change(
        store,
        f"UPDATE attempts SET {column} = CAST(:value AS JSON)"  # noqa: S608 - a name of ours
        " WHERE message_key IN (SELECT key FROM messages WHERE id = :id)",
        {"value": value, "id": message_id},
    )


def change(store: Store, statement: str, **values: Any) -> None:
    """What an operator, or another version, did."""
    _change(store, statement, values)


def _change(store: Store, statement: str, values: dict[str, Any]) -> None:
    engine = store._database.engine
    if engine.dialect.name == "sqlite":  # it has no type of that name, and would make a number of it
        statement = statement.replace("CAST(:value AS JSON)", ":value")
    with engine.begin() as connection:
        assert connection.execute(text(statement), values).rowcount > 0

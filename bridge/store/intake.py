"""Intake: storing the messages of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from bridge.base.errors import VoicebridgeError
from bridge.messages.message import Bulk, Content, Message
from bridge.messages.progress import State
from bridge.messages.routes import Routes
from bridge.messages.statuses import PENDING_ACCEPTED, PENDING_TIME_VIOLATION
from bridge.messages.windows import next_opening
from bridge.store.contents import content_body
from bridge.store.routing import first_trunk, reject_unreachable
from bridge.store.scenarios import note_launched
from bridge.store.tables import bulks, contents, messages
from bridge.store.wakeups import Topic, announce


class DuplicateId(VoicebridgeError):
    """A bulkId or messageId that this account has used before."""

    id: ClassVar[str] = "DUPLICATE_ID"
    quotes_callers: ClassVar[bool] = True


_ADD_BULK = insert(bulks).returning(bulks.c.key)
_ADD_CONTENTS = insert(contents).returning(contents.c.key, sort_by_parameter_order=True)
_ADD_MESSAGES = insert(messages)
_AT_ONCE = 500
"""Rows of one statement: all of a bulk's would take as much memory again."""


def accept(connection: Connection, bulk: Bulk, numbers: Routes) -> None:
    """Keep a bulk and all its messages, to be called when they are due. Raises DuplicateId.

    Those that no trunk leads to are rejected.
    """
    try:
        bulk_key = connection.execute(
            _ADD_BULK, {"account": bulk.account, "id": bulk.id, "created_at": bulk.created_at}
        ).scalar_one()
    except IntegrityError as error:
        raise DuplicateId(f"bulkId {bulk.id} has been used before") from error
    content_keys = _keep_contents(connection, bulk)
    all_lead_somewhere = True
    for first in range(0, len(bulk.messages), _AT_ONCE):
        rows = [
            _row(bulk, bulk_key, content_keys, message, numbers) for message in bulk.messages[first : first + _AT_ONCE]
        ]
        all_lead_somewhere = all_lead_somewhere and all(row["trunk"] is not None for row in rows)
        try:
            connection.execute(_ADD_MESSAGES, rows)
        except IntegrityError as error:
            raise DuplicateId("a messageId has been used before") from error
    if not all_lead_somewhere:
        reject_unreachable(connection, bulk.created_at, messages.c.bulk_key == bulk_key)
    announce(connection, Topic.DUE)


def launch(connection: Connection, bulk: Bulk, numbers: Routes) -> None:
    """Keep a bulk of IVR messages as ``accept`` does, and note that their scenarios are in use."""
    accept(connection, bulk, numbers)
    note_launched(connection, bulk)


def _keep_contents(connection: Connection, bulk: Bulk) -> dict[int, int]:
    """Store each distinct content once; return the keys by ``id()`` of the content."""
    distinct = list({id(message.content): message.content for message in bulk.messages}.values())
    keys: dict[int, int] = {}
    for first in range(0, len(distinct), _AT_ONCE):
        these = distinct[first : first + _AT_ONCE]
        added = connection.execute(_ADD_CONTENTS, [_content_row(content) for content in these]).scalars()
        keys |= zip(map(id, these), added, strict=True)
    return keys


def _content_row(content: Content) -> dict[str, Any]:
    server = None if content.notify is None else content.notify.server
    return {"body": content_body(content), "notify_server": server}


def _row(
    bulk: Bulk, bulk_key: int, content_keys: Mapping[int, int], message: Message, numbers: Routes
) -> dict[str, Any]:
    due_at = next_opening(message.content.window, message.send_at)
    return {
        "bulk_key": bulk_key,
        "content_key": content_keys[id(message.content)],
        "account": bulk.account,
        "id": message.id,
        "recipient": message.to,
        "sender": message.sender,
        "send_at": message.send_at,
        "sent_at": message.send_at,
        "expires_at": message.expires_at,
        "trunk": first_trunk(numbers, message.to),
        "state": State.QUEUED,
        "due_at": due_at,
        "attempts": 0,
        "status_id": PENDING_ACCEPTED if due_at == message.send_at else PENDING_TIME_VIOLATION,
        "error_id": 0,
    }

"""Taking messages in."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from bridge.errors import VoicebridgeError
from bridge.messages.message import Bulk, Content
from bridge.messages.progress import State
from bridge.messages.routes import Routes
from bridge.messages.statuses import PENDING_ACCEPTED, PENDING_TIME_VIOLATION
from bridge.messages.windows import next_opening
from bridge.store.contents import content_body
from bridge.store.routing import first_trunk, reject_unreachable
from bridge.store.tables import bulks, contents, messages
from bridge.store.wakeups import Topic, announce


class DuplicateId(VoicebridgeError):
    """A bulkId or messageId that this account has used before."""

    id: ClassVar[str] = "DUPLICATE_ID"
    quotes_callers: ClassVar[bool] = True


_ADD_BULK = insert(bulks).returning(bulks.c.key)
_ADD_CONTENT = insert(contents).returning(contents.c.key)
_ADD_MESSAGES = insert(messages)


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
    content_keys: dict[int, int] = {}
    rows = []
    for message in bulk.messages:
        content_key = content_keys.get(id(message.content))
        if content_key is None:
            content_key = content_keys[id(message.content)] = _keep_content(connection, message.content)
        due_at = next_opening(message.content.window, message.send_at)
        rows.append(
            {
                "bulk_key": bulk_key,
                "content_key": content_key,
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
        )
    try:
        connection.execute(_ADD_MESSAGES, rows)
    except IntegrityError as error:
        raise DuplicateId("a messageId has been used before") from error
    if any(row["trunk"] is None for row in rows):
        reject_unreachable(connection, bulk.created_at, messages.c.bulk_key == bulk_key)
    announce(connection, Topic.DUE)


def _keep_content(connection: Connection, content: Content) -> int:
    server = None if content.notify is None else content.notify.server
    key: int = connection.execute(_ADD_CONTENT, {"body": content_body(content), "notify_server": server}).scalar_one()
    return key

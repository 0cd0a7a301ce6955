"""Open attempts: those whose end nobody has recorded yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, or_, select

from bridge.messages.bulks import BulkStatus
from bridge.store.claims import Claim
from bridge.store.rows import MESSAGE_COLUMNS, attempt_of, message_of
from bridge.store.tables import attempts, bulks, contents, messages, nodes

_GRACE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt without an end; ``happened`` is what its script was told (JSON values), by ``ends_by`` it is over."""

    claim: Claim
    ends_by: datetime
    happened: list[Any]


_OPEN = attempts.c.ended_at.is_(None)
_NODE_LIVES = exists().where(
    nodes.c.name == attempts.c.node, nodes.c.place == attempts.c.place, nodes.c.leased_until > bindparam("now")
)


def _select_open(*which: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            attempts,
            *MESSAGE_COLUMNS,
            messages.c.account,
            bulks.c.id.label("bulk_id"),
        )
        .join(messages, messages.c.key == attempts.c.message_key)
        .join(bulks, bulks.c.key == messages.c.bulk_key)
        .join(contents, contents.c.key == messages.c.content_key)
        .where(_OPEN, *which)
    )


_IS_OURS = (
    select(attempts.c.id)
    .join(nodes, nodes.c.name == attempts.c.node)
    .where(attempts.c.id == bindparam("attempt_id"), _OPEN, nodes.c.instance == bindparam("of_instance"))
)
_ALL = _select_open()
_OF_NODE = _select_open(attempts.c.node == bindparam("node"), attempts.c.place == bindparam("of_place"))
_ABANDONED = (
    _select_open(
        attempts.c.ends_by < bindparam("over"),
        ~_NODE_LIVES,
        or_(attempts.c.node != bindparam("node"), attempts.c.place != bindparam("of_place")),
    )
    .order_by(attempts.c.ends_by)
    .limit(bindparam("limit"))
)
_CANCELED = (
    select(attempts.c.id)
    .join(messages, messages.c.key == attempts.c.message_key)
    .join(bulks, bulks.c.key == messages.c.bulk_key)
    .where(attempts.c.node == bindparam("node"), _OPEN, bulks.c.held == BulkStatus.CANCELED)
)


def is_ours(connection: Connection, attempt_id: str, instance: str | None) -> bool:
    """Whether an instance has the name of the attempt's node, and nobody has settled the attempt or given it back."""
    return connection.execute(_IS_OURS, {"attempt_id": attempt_id, "of_instance": instance}).first() is not None


def open_of(connection: Connection, node: str, place: str) -> list[OpenAttempt]:
    """The attempts that a node began with this data folder and whose end it has not recorded."""
    return _read(connection, _OF_NODE, {"node": node, "of_place": place})


def all_open(connection: Connection) -> list[OpenAttempt]:
    """The attempts whose end no node has recorded."""
    return _read(connection, _ALL, {})


def abandoned(connection: Connection, node: str, place: str, now: datetime, limit: int) -> list[OpenAttempt]:
    """Open attempts of nodes that are gone, whose calls have been over for a minute; not the given node's own.

    A node of the same name with another data folder is another one.
    """
    values = {"node": node, "of_place": place, "now": now, "over": now - _GRACE, "limit": limit}
    return _read(connection, _ABANDONED, values)


def canceled(connection: Connection, node: str) -> list[str]:
    """The ids of the node's open attempts whose bulk was canceled."""
    return list(connection.execute(_CANCELED, {"node": node}).scalars())


def _read(connection: Connection, statement: Select[Any], values: dict[str, Any]) -> list[OpenAttempt]:
    found = []
    for row in connection.execute(statement, values).mappings():
        attempt = attempt_of(row)
        claim = Claim(
            key=row["message_key"],
            account=row["account"],
            bulk_id=row["bulk_id"],
            message=message_of(row),
            attempt=attempt,
            starts_at=attempt.dialled_at,
        )
        found.append(OpenAttempt(claim, row["ends_by"], row["happened"] if isinstance(row["happened"], list) else []))
    return found

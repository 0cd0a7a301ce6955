"""Recordings: what was recorded on which attempt, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, delete, select, text, update

from bridge.messages.message import Message
from bridge.messages.recording import Recording, RecordingState
from bridge.store.columns import Instant
from bridge.store.database import Database
from bridge.store.rows import MESSAGE_COLUMNS, message_of
from bridge.store.tables import attempts, contents, messages, recordings

_WITH_FILE = (RecordingState.AVAILABLE, RecordingState.SHORT)

_ID = recordings.c.id.label("recording_id")
_OF_CALL = messages.alias("of_call")
_MESSAGE_ID = select(_OF_CALL.c.id).where(_OF_CALL.c.key == recordings.c.message_key).scalar_subquery()
_COLUMNS = (
    _ID,
    _MESSAGE_ID.label("of_message"),
    *(column for column in recordings.c if column.name not in {"id", "account", "message_key"}),
)


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A recording that can be heard, and the message of its call."""

    recording: Recording
    message: Message


class Recordings:
    """The recordings of each account; their files are elsewhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, account: str, key: int, recording: Recording) -> bool:
        """Add a recording before its file is written; ``key`` is that of the claim.

        It is added once, however often this is called. False when the attempt is over, or was given back.
        """
        return await self._database.write(_begin, account, key, recording)

    async def finish(self, recording: Recording) -> bool:
        """Store what became of a recording, before its call is finished, so that the report has it.

        False when that was stored before.
        """
        return await self._database.write(_finish, recording)

    async def deleted(self, recording_id: str) -> None:
        """Note that the time of a recording is over, and its file gone."""
        await self._database.write(_deleted, recording_id)

    async def stored(self, recording_id: str) -> bool:
        """Note that a finished recording's file is in object storage now; False when it is wanted no longer."""
        return await self._database.write(_stored, recording_id)

    async def lost(self, recording_id: str, node: str) -> bool:
        """Note that a node no longer has the file that it should have; False when it need not have it."""
        return await self._database.write(_lost, recording_id, node)

    async def forget(self, recording_id: str) -> None:
        """Drop a recording that never began, as when nobody answered."""
        await self._database.write(_forget, recording_id)

    async def find(self, account: str, recording_id: str) -> Recording | None:
        """One recording; None when the account has no such recording."""
        return await self._database.read(_find, account, recording_id)

    async def of_call(self, account: str, message_id: str, to: str) -> Recording | None:
        """The recording of the last call of a message that was recorded whole."""
        return await self._database.read(_of_call, account, message_id, to)

    async def files(
        self,
        account: str,
        *,
        message_id: str | None = None,
        number: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[RecordedFile]:
        """The recordings that can be heard, the newest first."""
        return await self._database.read(
            _files, account, message_id=message_id, number=number, limit=limit, offset=offset
        )

    async def expired(self, *, before: datetime, limit: int) -> list[Recording]:
        """Recordings from before a moment that still have a file, or may have one."""
        return await self._database.read(_expired, before=before, limit=limit)

    async def with_file(self, *, node: str, after: str, limit: int) -> list[Recording]:
        """Recordings whose file must be on a node's disk, in the order of their ids, from that after ``after`` on."""
        return await self._database.read(_with_file, node=node, after=after, limit=limit)

    async def left_open(self, *, node: str, ended_before: datetime, limit: int) -> list[tuple[Recording, float]]:
        """Recordings that nobody finished although their call is over, and how many seconds it was connected."""
        return await self._database.read(_left_open, node=node, ended_before=ended_before, limit=limit)

    async def known(self, ids: Collection[str]) -> set[str]:
        """Those of the ids that belong to a recording which may have a file on a node's disk."""
        return await self._database.read(_known, ids)


# A row that is there already is left as it is, but counted in rowcount.
_BEGIN = text(
    "INSERT INTO recordings (id, account, message_key, attempt_id, kind, pointer, recorded_at, state, node)"
    " SELECT :id, :account, :message_key, id, :kind, :pointer, :recorded_at, :state, node"
    " FROM attempts WHERE id = :attempt_id AND ended_at IS NULL"
    " ON CONFLICT (id) DO UPDATE SET id = excluded.id"
).bindparams(bindparam("recorded_at", type_=Instant))
_THIS = recordings.c.id == bindparam("recording_id")
_THIS_UNFINISHED = (_THIS, recordings.c.state == RecordingState.RECORDING)
_FINISH = (
    update(recordings)
    .where(*_THIS_UNFINISHED)
    .values(state=bindparam("new_state"), seconds=bindparam("new_seconds"), size=bindparam("new_size"))
)
_DELETED = update(recordings).where(_THIS).values(state=RecordingState.DELETED)
_STORED = update(recordings).where(_THIS, recordings.c.state.in_(_WITH_FILE)).values(node=None)
_LOST = (
    update(recordings)
    .where(_THIS, recordings.c.node == bindparam("at_node"), recordings.c.state.in_(_WITH_FILE))
    .values(state=RecordingState.LOST)
)
_FORGET = delete(recordings).where(*_THIS_UNFINISHED)


def _begin(connection: Connection, account: str, message_key: int, recording: Recording) -> bool:
    values = {
        "id": recording.id,
        "account": account,
        "message_key": message_key,
        "attempt_id": recording.attempt_id,
        "kind": recording.kind,
        "pointer": recording.pointer,
        "recorded_at": recording.recorded_at,
        "state": recording.state,
    }
    return connection.execute(_BEGIN, values).rowcount == 1


def _finish(connection: Connection, recording: Recording) -> bool:
    values = {
        "recording_id": recording.id,
        "new_state": recording.state,
        "new_seconds": recording.seconds,
        "new_size": recording.size,
    }
    return connection.execute(_FINISH, values).rowcount == 1


def _deleted(connection: Connection, recording_id: str) -> None:
    connection.execute(_DELETED, {"recording_id": recording_id})


def _stored(connection: Connection, recording_id: str) -> bool:
    return connection.execute(_STORED, {"recording_id": recording_id}).rowcount == 1


def _lost(connection: Connection, recording_id: str, node: str) -> bool:
    return connection.execute(_LOST, {"recording_id": recording_id, "at_node": node}).rowcount == 1


def _forget(connection: Connection, recording_id: str) -> None:
    connection.execute(_FORGET, {"recording_id": recording_id})


def of_attempts(connection: Connection, attempt_ids: Collection[str]) -> dict[str, list[Recording]]:
    """The recordings of each attempt, the first one first."""
    rows = connection.execute(
        select(*_COLUMNS).where(recordings.c.attempt_id.in_(attempt_ids)).order_by(recordings.c.recorded_at, _ID)
    )
    found: dict[str, list[Recording]] = defaultdict(list)
    for row in rows.mappings():
        found[row["attempt_id"]].append(_recording_of(row))
    return found


def _find(connection: Connection, account: str, recording_id: str) -> Recording | None:
    wanted = select(*_COLUMNS).where(recordings.c.account == account, recordings.c.id == recording_id)
    row = connection.execute(wanted).mappings().first()
    return None if row is None else _recording_of(row)


def _of_call(connection: Connection, account: str, message_id: str, to: str) -> Recording | None:
    row = (
        connection.execute(
            select(*_COLUMNS)
            .join(messages, messages.c.key == recordings.c.message_key)
            .where(
                messages.c.account == account,
                messages.c.id == message_id,
                messages.c.recipient == to,
                recordings.c.kind == "call",
            )
            .order_by(recordings.c.recorded_at.desc())
            .limit(1)
        )
        .mappings()
        .first()
    )
    return None if row is None else _recording_of(row)


def _files(
    connection: Connection, account: str, *, message_id: str | None, number: str | None, limit: int, offset: int
) -> list[RecordedFile]:
    wanted = (
        select(*_COLUMNS, *MESSAGE_COLUMNS)
        .join(messages, messages.c.key == recordings.c.message_key)
        .join(contents, contents.c.key == messages.c.content_key)
        .where(recordings.c.account == account, recordings.c.state.in_(_WITH_FILE))
        .order_by(recordings.c.recorded_at.desc(), _ID)
        .limit(limit)
        .offset(offset)
    )
    if message_id is not None:
        wanted = wanted.where(messages.c.id == message_id)
    if number is not None:
        wanted = wanted.where(messages.c.recipient == number)
    return [RecordedFile(_recording_of(row), message_of(row)) for row in connection.execute(wanted).mappings()]


def _expired(connection: Connection, *, before: datetime, limit: int) -> list[Recording]:
    wanted = (
        select(*_COLUMNS)
        .where(recordings.c.recorded_at < before, recordings.c.state != RecordingState.DELETED)
        .order_by(recordings.c.recorded_at)
        .limit(limit)
    )
    return [_recording_of(row) for row in connection.execute(wanted).mappings()]


def _with_file(connection: Connection, *, node: str, after: str, limit: int) -> list[Recording]:
    wanted = (
        select(*_COLUMNS)
        .where(recordings.c.node == node, recordings.c.id > after, recordings.c.state.in_(_WITH_FILE))
        .order_by(recordings.c.id)
        .limit(limit)
    )
    return [_recording_of(row) for row in connection.execute(wanted).mappings()]


def _left_open(
    connection: Connection, *, node: str, ended_before: datetime, limit: int
) -> list[tuple[Recording, float]]:
    wanted = (
        select(*_COLUMNS, attempts.c.answered_at, attempts.c.ended_at)
        .join(attempts, attempts.c.id == recordings.c.attempt_id)
        .where(
            recordings.c.node == node,
            attempts.c.ended_at < ended_before,
            recordings.c.state == RecordingState.RECORDING,
        )
        .limit(limit)
    )
    rows = connection.execute(wanted).mappings()
    return [(_recording_of(row), _connected_seconds(row)) for row in rows]


def _known(connection: Connection, ids: Collection[str]) -> set[str]:
    wanted = select(_ID).where(
        recordings.c.id.in_(ids), recordings.c.state != RecordingState.DELETED, recordings.c.node.is_not(None)
    )
    return set(connection.execute(wanted).scalars())


def _connected_seconds(row: RowMapping) -> float:
    answered_at: datetime | None = row["answered_at"]
    return 0.0 if answered_at is None else (row["ended_at"] - answered_at).total_seconds()


def _state_of(row: RowMapping) -> RecordingState:
    try:
        return RecordingState(row["state"])
    except ValueError:  # of another version
        return RecordingState.LOST


def _recording_of(row: RowMapping) -> Recording:
    return Recording(
        id=row["recording_id"],
        attempt_id=row["attempt_id"],
        kind=row["kind"],
        recorded_at=row["recorded_at"],
        pointer=row["pointer"],
        state=_state_of(row),
        seconds=row["seconds"],
        size=row["size"],
        node=row["node"],
        message_id=row["of_message"],
    )

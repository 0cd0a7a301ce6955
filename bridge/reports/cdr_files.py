"""The CDRs of a day as a CSV file (RFC 4180), for spreadsheets and billing."""

from __future__ import annotations

import csv
import fcntl
import io
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from bridge.base.removal import remove_all
from bridge.base.threads import FILES
from bridge.messages.attempt import Attempt
from bridge.messages.recording import Recording
from bridge.reports.cdr import cdr
from bridge.reports.members import ErrorMembers, StatusMembers, call_recording

COLUMNS = (
    "account",
    "bulkId",
    "messageId",
    "attempt",
    "attemptId",
    "node",
    "trunk",
    "from",
    "to",
    "queuedAt",
    "dialledAt",
    "ringingAt",
    "answeredAt",
    "endedAt",
    "ringSeconds",
    "callSeconds",
    "billableSeconds",
    "cause",
    "sipStatus",
    "hungUpBy",
    "answeredBy",
    "statusId",
    "statusName",
    "errorId",
    "errorName",
    "engines",
    "spokenSeconds",
    "keys",
    "recordingId",
    "recordingState",
    "recordingSeconds",
    "refusedTrunks",
    "sentFrom",
    "sentTo",
)

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class CdrFiles:
    """Appends a line for each finished attempt to the file of the UTC day in which it ended, ``cdr-2026-11-23.csv``.

    Several processes may write to one folder: each line is written whole, under a lock.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def sweep(self, before: datetime) -> None:
        """Remove the files of the UTC days before that of ``before``. Raises OSError."""
        await FILES.run(_remove_older, self._folder, _name(before))

    async def append(self, account: str, bulk_id: str, attempt: Attempt) -> None:
        """Write one line, off the event loop. Raises OSError when the disk refuses."""
        path = self._folder / _name(attempt.ended_at or attempt.dialled_at)
        await FILES.run(_append, path, csv_row(account, bulk_id, attempt))


def _name(moment: datetime) -> str:
    """The file's name; names sort as their days do."""
    return f"cdr-{moment.astimezone(UTC):%Y-%m-%d}.csv"


def _remove_older(folder: Path, oldest_kept: str) -> None:
    remove_all(path for path in folder.glob("cdr-????-??-??.csv") if path.name < oldest_kept)


def csv_row(account: str, bulk_id: str, attempt: Attempt) -> list[str]:
    """The values of `COLUMNS`; one that a spreadsheet would take for a formula has an apostrophe before it."""
    record = cdr(attempt)
    known: dict[str, Any] = {
        **record,
        "account": account,
        "bulkId": bulk_id,
        "messageId": attempt.message_id,
        **_named("status", record["status"]),
        **_named("error", record["error"]),
        "engines": " ".join(dict.fromkeys(spoken.engine for spoken in attempt.spoken)),
        "spokenSeconds": round(sum(spoken.seconds for spoken in attempt.spoken), 3),
        "keys": " ".join(entered.keys for entered in attempt.inputs),
        "refusedTrunks": " ".join(leg.trunk for leg in attempt.refused),
        **_recording(call_recording(attempt)),
    }
    return [_cell(known[column]) for column in COLUMNS]


def _named(what: str, members: StatusMembers | ErrorMembers | None) -> dict[str, Any]:
    number, name = (None, None) if members is None else (members["id"], members["name"])
    return {f"{what}Id": number, f"{what}Name": name}


def _recording(recording: Recording | None) -> dict[str, Any]:
    if recording is None:
        return {"recordingId": None, "recordingState": None, "recordingSeconds": None}
    seconds = None if recording.seconds is None else round(recording.seconds, 3)
    return {"recordingId": recording.id, "recordingState": recording.state, "recordingSeconds": seconds}


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _append(path: Path, row: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+", opener=_for_operator_only) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        file.write(_csv([list(COLUMNS), row]) if size == 0 else _line_end_if_torn(file, size) + _csv([row]))


def _for_operator_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o640)


def _line_end_if_torn(file: BinaryIO, size: int) -> bytes:
    """A line end, if a full disk or a crash cut the last line short: it must not swallow the next one."""
    file.seek(size - 1)
    return b"" if file.read(1) == b"\n" else b"\r\n"


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()

"""The CSV file of a day, on a real disk."""

from __future__ import annotations

import asyncio
import csv
import fcntl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.messages.attempt import Attempt, Input, Leg, Spoken
from bridge.reports.cdr_files import COLUMNS, CdrFiles

DIALLED = datetime(2026, 11, 23, 23, 59, 50, tzinfo=UTC)

ATTEMPT = Attempt(
    id="vb-1",
    message_id="message-1",
    number=1,
    node="here",
    asterisk="127.0.0.1:5038",
    trunk="trunk",
    sender=None,
    to="41793026727",
    queued_at=DIALLED,
    dialled_at=DIALLED,
    answered_at=DIALLED + timedelta(seconds=2),
    ended_at=DIALLED + timedelta(seconds=5.5),
    cause=16,
    sip_status=200,
    status_id=5,
    error_id=5000,
    spoken=[Spoken(DIALLED, "espeak-ng", "en", 2.5, True)],
    inputs=[Input(DIALLED, "12", None, [])],
    refused=[Leg("first", DIALLED, DIALLED, 38, 503), Leg("second", DIALLED, DIALLED, 41)],
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


async def test_each_attempt_has_one_line_under_one_header(tmp_path: Path) -> None:
    files = CdrFiles(tmp_path / "cdr")
    await files.append("acme", "bulk-1", ATTEMPT)
    await files.append("acme", "bulk-1", replace(ATTEMPT, id="vb-2", number=2))
    path = tmp_path / "cdr" / "cdr-2026-11-23.csv"
    assert path.read_text(encoding="utf-8").splitlines()[0] == ",".join(COLUMNS)
    first, second = rows(path)
    assert (first["attemptId"], second["attemptId"]) == ("vb-1", "vb-2")
    assert first["account"] == "acme"
    assert first["from"] == ""
    assert first["callSeconds"] == "3.5"
    assert first["billableSeconds"] == "4"
    assert first["statusName"] == "DELIVERED_TO_HANDSET"
    assert (first["engines"], first["spokenSeconds"], first["keys"]) == ("espeak-ng", "2.5", "12")
    assert first["refusedTrunks"] == "first second"


async def test_a_line_belongs_to_the_day_in_which_the_attempt_ended(tmp_path: Path) -> None:
    await CdrFiles(tmp_path).append("acme", "b", replace(ATTEMPT, ended_at=DIALLED + timedelta(seconds=20)))
    assert only_file(tmp_path).name == "cdr-2026-11-24.csv"


async def test_many_writers_at_once_lose_nothing_and_tear_nothing(tmp_path: Path) -> None:
    writers = [CdrFiles(tmp_path) for _ in range(4)]
    await asyncio.gather(*(writers[n % 4].append("acme", "b", replace(ATTEMPT, id=f"vb-{n}")) for n in range(100)))
    path = only_file(tmp_path)
    assert sorted(row["attemptId"] for row in rows(path)) == sorted(f"vb-{n}" for n in range(100))


async def test_a_writer_waits_for_another_one_to_finish_its_line(tmp_path: Path) -> None:
    path = tmp_path / "cdr-2026-11-23.csv"
    with path.open("ab", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        appending = asyncio.create_task(CdrFiles(tmp_path).append("acme", "b", ATTEMPT))
        await asyncio.wait({appending}, timeout=0.2)
        other.write(",".join(COLUMNS).encode() + b"\r\n")
    await appending
    assert [row["attemptId"] for row in rows(path)] == ["vb-1"]


async def test_a_line_that_was_cut_short_does_not_swallow_the_next(tmp_path: Path) -> None:
    files = CdrFiles(tmp_path)
    await files.append("acme", "b", ATTEMPT)
    path = only_file(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    await files.append("acme", "b", replace(ATTEMPT, id="vb-2"))
    assert rows(path)[-1]["attemptId"] == "vb-2"


async def test_a_spreadsheet_takes_nothing_for_a_formula(tmp_path: Path) -> None:
    hostile = '=HYPERLINK("http://evil.example","x")'
    await CdrFiles(tmp_path).append("@acme", hostile, replace(ATTEMPT, message_id="+1"))
    path = only_file(tmp_path)
    (row,) = rows(path)
    assert (row["account"], row["bulkId"], row["messageId"]) == ("'@acme", f"'{hostile}", "'+1")


async def test_the_file_is_not_for_everyone(tmp_path: Path) -> None:
    await CdrFiles(tmp_path).append("acme", "b", ATTEMPT)
    path = only_file(tmp_path)
    assert path.stat().st_mode & 0o007 == 0


async def test_the_files_of_days_that_are_too_old_go(tmp_path: Path) -> None:
    files = CdrFiles(tmp_path)
    for days in (0, 1, 2, 400):
        await files.append("acme", "b", replace(ATTEMPT, ended_at=DIALLED - timedelta(days=days)))
    await files.sweep(DIALLED - timedelta(days=1, hours=23))
    assert names(tmp_path) == ["cdr-2026-11-22.csv", "cdr-2026-11-23.csv"]
    await CdrFiles(tmp_path / "nothing").sweep(DIALLED)

"""Reading the journal back, whatever became of its file."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.asterisk.journal import Journal, dialling_line
from bridge.telephony.causes import outcome_of
from bridge.telephony.errors import JournalUnreadable, UnsafeValue
from bridge.telephony.records import Record

NOW = datetime(2026, 11, 23, 20, 46, 1, 21_000, tzinfo=UTC)
ASTERISK = "127.0.0.1:5038"
IDS = ("b7c0", "b7c0-1", "0.a_Z")
OTHERS = [f"{number}" for number in range(5000)]


def at(second: int) -> datetime:
    return NOW + timedelta(seconds=second)


def lines_of(channel_id: str, ended: str = "16 Up callee 200") -> list[bytes]:
    """A whole call."""
    return [
        f"{dialling_line(channel_id, NOW)}\n".encode(),
        f"2026-11-23T20:46:03.021Z {channel_id} answered\n".encode(),
        f"2026-11-23T20:46:09.021Z {channel_id} ended {ended}\n".encode(),
    ]


def placed_at(moment: datetime, *channel_ids: str) -> str:
    return "".join(f"{dialling_line(channel_id, moment)}\n" for channel_id in channel_ids)


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


async def read(content: bytes) -> dict[str, Record]:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder))
        journal.file(ASTERISK, NOW).write_bytes(content)
        return await journal.read(IDS)


async def test_what_was_placed_before_is_not_looked_for(journal: Journal) -> None:
    now = datetime.now(UTC)
    days_before = now - timedelta(days=2)
    journal.file(ASTERISK, days_before).write_bytes(b"".join(lines_of("b7c0")))
    assert await journal.read(["b7c0"], since=now) == {}
    assert list(await journal.read(["b7c0"], since=days_before)) == ["b7c0"]


async def test_of_a_day_only_what_came_since_then_is_read(journal: Journal) -> None:
    now = datetime.now(UTC)
    early = now - timedelta(hours=20)
    many = placed_at(now - timedelta(hours=1), *OTHERS)
    journal.file(ASTERISK, now).write_text(placed_at(early, "b7c0") + many + placed_at(now, "b7c0-1"))
    assert list(await journal.read(IDS, since=now)) == ["b7c0-1"]
    assert set(await journal.read(IDS, since=early)) == {"b7c0", "b7c0-1"}


async def test_a_call_is_found_also_when_the_clock_was_put_back_by_hours_behind_it(journal: Journal) -> None:
    now = datetime.now(UTC)
    then = now + timedelta(hours=5)
    journal.file(ASTERISK, then).write_text(placed_at(then, "b7c0") + placed_at(now, *OTHERS))
    assert list(await journal.read(IDS, since=then)) == ["b7c0"]


async def test_a_call_is_read_back_as_it_went() -> None:
    (record,) = (await read(b"".join(lines_of("b7c0")))).values()
    assert (record.dialled_at, record.answered_at) == (at(0), at(2))
    assert record.rang
    assert record.ended
    assert (record.ended.at, record.ended.cause, record.ended.sip_status) == (at(8), 16, None)
    assert (record.ended.by, record.ended.timed_out, record.ended.lost) == ("callee", False, False)


@pytest.mark.parametrize(
    ("ended", "rang", "outcome"),
    [
        ("17 Down callee 486", False, (15, 5002)),
        ("21 Ringing callee 603", True, (15, 5603)),
        ("1 Down callee 404", False, (15, 5404)),
        ("34 Down callee 503", False, (15, 5503)),
        ("34 Down callee ", False, (15, 5700)),
        ("34 Down callee", False, (15, 5700)),
        ("18 Down callee ", False, (15, 5408)),
        ("19 Ringing caller 180", True, (15, 5003)),
        ("16 Ringing caller 180", True, (15, 5003)),
    ],
)
async def test_the_end_of_an_unanswered_call_has_its_outcome(ended: str, rang: bool, outcome: tuple[int, int]) -> None:
    dialling, _, end = lines_of("b7c0", ended)
    record = (await read(dialling + end))["b7c0"]
    assert record.ended
    assert record.rang is rang
    assert record.ended.timed_out is ended.startswith("19")
    assert outcome_of(record.ended, answered=record.answered_at is not None) == outcome


async def test_a_channel_without_a_line_is_missing(journal: Journal) -> None:
    assert await journal.read(IDS) == {}
    assert list(await read(b"".join(lines_of("b7c0-1")))) == ["b7c0-1"]


async def test_a_call_goes_into_the_file_of_the_day_on_which_it_was_placed(journal: Journal) -> None:
    late = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
    assert journal.file(ASTERISK, late).name == "2026-11-23-127.0.0.1_5038.log"
    assert journal.file(ASTERISK, late + timedelta(seconds=1)).name == "2026-11-24-127.0.0.1_5038.log"
    journal.file(ASTERISK, late).write_bytes(b"".join(lines_of("b7c0")))
    journal.file(ASTERISK, late + timedelta(days=3)).write_bytes(b"".join(lines_of("b7c0-1")))
    assert set(await journal.read(IDS)) == {"b7c0", "b7c0-1"}


async def test_only_files_of_days_before_are_swept(journal: Journal, tmp_path: Path) -> None:
    for days in range(4):
        journal.file(ASTERISK, NOW - timedelta(days=days)).touch()
    (tmp_path / "README").touch()
    await journal.sweep(NOW - timedelta(days=1))
    assert names_in(tmp_path) == ["2026-11-22-127.0.0.1_5038.log", "2026-11-23-127.0.0.1_5038.log", "README"]


async def test_what_one_asterisk_keeps_proves_nothing_of_another_one(journal: Journal) -> None:
    journal.file(ASTERISK, NOW).write_bytes(b"".join(lines_of("b7c0")))
    assert await journal.is_kept(ASTERISK, NOW)
    assert not await journal.is_kept("127.0.0.1:50", NOW)
    assert not await journal.is_kept(ASTERISK, NOW + timedelta(days=1))
    assert list(await journal.read(IDS)) == ["b7c0"]


async def test_what_may_stand_where_nothing_can_be_read_is_not_taken_for_missing(journal: Journal) -> None:
    unreadable = journal.file("127.0.0.1:50", NOW)
    unreadable.mkdir()
    (unreadable / "line").touch()
    journal.file(ASTERISK, NOW).write_bytes(b"".join(lines_of("b7c0")))
    with pytest.raises(JournalUnreadable):
        await journal.read(IDS)
    assert list(await journal.read(["b7c0"])) == ["b7c0"]


async def test_a_folder_that_cannot_be_listed_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "journal").touch()
    journal = Journal(tmp_path / "journal")
    with pytest.raises(JournalUnreadable):
        await journal.read(IDS)
    assert not await journal.is_kept(ASTERISK, NOW)


@pytest.mark.parametrize("folder", ["/srv/a,b", "/srv/${HOME}", '/srv/"', "/srv/(a)", "/srv/a;b"])
def test_a_folder_that_the_dialplan_reads_otherwise_is_refused(folder: str) -> None:
    with pytest.raises(UnsafeValue):
        Journal(Path(folder))


_PIECES = [line for channel_id in IDS for line in lines_of(channel_id)]
_NOISE = st.one_of(
    st.binary(max_size=40).filter(lambda noise: not noise.strip(b"0123456789TZ:.-")),
    st.just(b"\0" * 4096),
    st.just(b"\n"),
    st.just(b"2026-11-31T99:00:00.000Z b7c0 answered\n"),
    st.just(b"2026-11-23T20:46:03.021Z else answered\n"),
    st.sampled_from(_PIECES).flatmap(lambda line: st.integers(0, len(line) - 1).map(lambda end: line[:end])),
)


@given(st.lists(_NOISE, min_size=len(_PIECES), max_size=len(_PIECES)))
async def test_whole_lines_are_read_whatever_stands_before_them(noise: list[bytes]) -> None:
    """Lines that were cut off by a full disk, a power cut's NULs, lines of somebody else."""
    content = b"".join(before + line for before, line in zip(noise, _PIECES, strict=True))
    assert await read(content) == await read(b"".join(_PIECES))


@given(st.lists(_NOISE, min_size=len(_PIECES), max_size=len(_PIECES)), st.integers(1, 300))
async def test_it_does_not_matter_where_the_blocks_begin_that_are_read(noise: list[bytes], block_bytes: int) -> None:
    content = b"".join(before + line for before, line in zip(noise, _PIECES, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bridge.asterisk.journal._BLOCK_BYTES", block_bytes)
        assert await read(content) == await read(b"".join(_PIECES))


@given(st.integers(0, len(b"".join(_PIECES))))
async def test_a_file_that_ends_anywhere_says_less_and_nothing_else(end: int) -> None:
    whole = await read(b"".join(_PIECES))
    for channel_id, record in (await read(b"".join(_PIECES)[:end])).items():
        assert record.dialled_at == whole[channel_id].dialled_at
        assert record.answered_at in (None, whole[channel_id].answered_at)
        assert record.ended in (None, whole[channel_id].ended)


@given(st.lists(st.sampled_from(_PIECES)))
async def test_lines_that_come_twice_or_in_another_order_change_nothing(lines: list[bytes]) -> None:
    whole = await read(b"".join(_PIECES))
    for channel_id, record in (await read(b"".join(lines))).items():
        assert record.answered_at in (None, whole[channel_id].answered_at)
        assert record.ended in (None, whole[channel_id].ended)

"""Journal: files in which Asterisk itself writes down each call. They outlive the link, the daemon and Asterisk.

Each Asterisk has files of its own. They have a line for each event, written with one append, whose first two words are
the time and the channel's id:

    2026-11-23T20:46:01.021Z ID dialling
    2026-11-23T20:46:03.240Z ID answered
    2026-11-23T20:46:09.126Z ID ended 16 Up callee 200

``dialling`` is written before the INVITE leaves. Behind ``ended`` stand the cause (ITU-T Q.850), the state in which the
channel was, who ended the call, and the last SIP status that came, if one came.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from bridge.base.removal import remove_all
from bridge.base.threads import FILES
from bridge.telephony.causes import (
    NO_ANSWER_FROM_USER,
    NO_CIRCUIT,
    NO_USER_RESPONDING,
    NORMAL_CLEARING,
    UNSENT_CAUSE,
)
from bridge.telephony.errors import JournalUnreadable, UnsafeValue
from bridge.telephony.events import Ended
from bridge.telephony.records import Record

_LINE = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([\w.-]+) "
    rb"(dialling|answered|ended (\d{1,3}) (\w+) (callee|caller) ?(\d{0,3}))\n"
)
"""Matches the end of a longer line too, where a disk was full or a machine died within the line before."""

_FIRST_FINAL_STATUS = 300
_REQUEST_TIMEOUT = 408
_LEAST_FREE_BYTES = 1_000_000
_BLOCK_BYTES = 65_536
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(minutes=20)
"""The times in a call's lines may be older by so much than the time at which it was placed.

Three clocks are concerned: the daemon's, Asterisk's and the database's. It is longer than a call without transfers and
``callTimeout`` lasts: no line of a call that was placed less than this ago is missed, by however much a clock is put
back.
"""


class Journal:
    """The folder of these files, one for each Asterisk and UTC day on which calls were placed.

    Asterisk writes them; the folder is on a disk that it shares with the daemon, under the same path. An Asterisk is
    named by the ``host:port`` of its AMI. Raises ``UnsafeValue`` when the path has a character that the dialplan gives
    a meaning to.
    """

    def __init__(self, folder: Path) -> None:
        if re.search(r"[^\w/.@%+:~ -]", str(folder)):
            raise UnsafeValue("the path of the journal's folder holds a character that the dialplan gives a meaning to")
        self._folder = folder

    def file(self, asterisk: str, now: datetime) -> Path:
        """The file for all lines of a call that this Asterisk is to place now."""
        return self._folder / f"{_day(now)}-{_file_name(asterisk)}.log"

    async def read(self, channel_ids: Collection[str], since: datetime = _EVER) -> dict[str, Record]:
        """What is known of each of these channels, placed ``since`` then; one without a line is missing.

        Raises ``JournalUnreadable`` when lines may be missing because a file could not be read.
        """
        oldest = min(since, datetime.now(UTC)) - _CLOCKS_DIFFER
        wanted = {channel_id.encode() for channel_id in channel_ids}
        try:
            return await FILES.run(self._read, wanted, oldest)
        except OSError as error:
            raise JournalUnreadable(f"the journal in {self._folder} cannot be read: {error}") from error

    async def is_kept(self, asterisk: str, since: datetime) -> bool:
        """Whether a call that this Asterisk placed since then would stand in the journal, as far as can be seen.

        That is so when other calls that it placed do, and the disk has room.
        """
        return await FILES.run(self._is_kept, _file_name(asterisk), _day(since))

    async def sweep(self, before: datetime) -> None:
        """Delete the files of the days before that of ``before``."""
        await FILES.run(self._sweep, _day(before))

    def _read(self, wanted: set[bytes], oldest: datetime) -> dict[str, Record]:
        records: dict[str, Record] = {}
        unreadable: OSError | None = None
        for file in sorted(self._files(), reverse=True):  # that of a call just placed comes first
            if len(records) == len(wanted) or file.name < _day(oldest):
                break
            try:
                _note(records, _lines_of(wanted, file, _stamp(oldest).encode()))
            except OSError as error:  # perhaps another Asterisk's
                unreadable = error
        if unreadable and len(records) < len(wanted):
            raise unreadable
        return records

    def _is_kept(self, name: str, oldest: str) -> bool:
        try:
            has_calls = any(file.name >= oldest and file.stat().st_size for file in self._files(name))
            return has_calls and shutil.disk_usage(self._folder).free > _LEAST_FREE_BYTES
        except OSError:
            return False

    def _sweep(self, oldest_kept: str) -> None:
        remove_all(file for file in self._files() if file.name < oldest_kept)

    def _files(self, name: str = "*") -> list[Path]:
        """None where there is no folder; raises OSError when it cannot be listed, which ``Path.glob`` does not."""
        try:
            return [file for file in self._folder.iterdir() if file.match(f"????-??-??-{name}.log")]
        except FileNotFoundError:
            return []


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def _file_name(asterisk: str) -> str:
    return re.sub(r"[^\w.-]", "_", asterisk)


def dialling_line(channel_id: str, now: datetime) -> str:
    """The first line of a call, without its end."""
    return f"{_stamp(now)} {channel_id} dialling"


def _lines_of(wanted: set[bytes], file: Path, oldest: bytes) -> list[re.Match[bytes]]:
    """The lines of these channels, read from the end of the file until all have begun or all is older."""
    lines_of: list[re.Match[bytes]] = []
    sought = set(wanted)
    for block in _blocks_from_the_end(file):
        lines = list(_LINE.finditer(block))
        lines_of[:0] = [line for line in lines if line[2] in wanted]
        sought.difference_update(line[2] for line in lines if line[3] == b"dialling")
        if not sought or (lines and max(line[1] for line in lines) < oldest):
            break
    return lines_of


def _blocks_from_the_end(file: Path) -> Iterator[bytes]:
    """Blocks of whole lines, the last first; small ones, so that other threads go on between two of them."""
    with file.open("rb") as content:
        start = content.seek(0, os.SEEK_END)
        rest = b""
        while start:
            end, start = start, max(0, start - _BLOCK_BYTES)
            content.seek(start)
            block = content.read(end - start) + rest
            cut = (block.find(b"\n") + 1 or len(block)) if start else 0
            rest = block[:cut]
            yield block[cut:]


def _note(records: dict[str, Record], lines: Iterable[re.Match[bytes]]) -> None:
    for found in lines:
        try:
            at = datetime.fromisoformat(found[1].decode())
        except ValueError:  # no line of ours
            continue
        channel_id = found[2].decode()
        record = records.setdefault(channel_id, Record(dialled_at=at))
        records[channel_id] = _with(record, at, found)


def _with(record: Record, at: datetime, found: re.Match[bytes]) -> Record:
    if found[3] == b"answered":
        return replace(record, answered_at=record.answered_at or at)
    if found[3] == b"dialling" or record.ended:
        return record
    return replace(record, ended=_ended(at, found), rang=found[5] in (b"Ringing", b"Up"))


def _ended(at: datetime, found: re.Match[bytes]) -> Ended:
    """The call's end, the same as ``Lifecycle`` makes of AMI's events."""
    by: Literal["callee", "caller"] = "callee" if found[6] == b"callee" else "caller"
    cause, status = int(found[4]) or NORMAL_CLEARING, int(found[7] or 0)
    if not status and cause == NO_CIRCUIT and by == "callee":
        return Ended(at, UNSENT_CAUSE, None, timed_out=False, by=by, unsent=True)
    if not status and cause == NO_USER_RESPONDING:  # nothing came from the trunk (RFC 3261, timer B)
        status = _REQUEST_TIMEOUT
    return Ended(
        at,
        cause,
        sip_status=status if by == "callee" and status >= _FIRST_FINAL_STATUS else None,
        timed_out=by == "caller" and cause == NO_ANSWER_FROM_USER and found[5] != b"Up",
        by=by,
    )

"""``voicebridge after-restore``: makes a restored database fit to be served, so that nobody is called twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bridge.admin.unserved import refuse_while_served
from bridge.asterisk.journal import Journal
from bridge.calls.orphans import lost
from bridge.calls.outcomes import settle
from bridge.messages.attempt import Attempt
from bridge.messages.retry import next_attempt
from bridge.messages.statuses import DELIVERED_TO_HANDSET, EXPIRED_UNKNOWN, INTERNAL_SERVER_ERROR
from bridge.settings import Settings
from bridge.store import OpenAttempt, Store
from bridge.telephony.causes import final_sip_status, outcome_of
from bridge.telephony.records import Record

_AT_ONCE = 500
_MOST_LEGS = 10


@dataclass(frozen=True, slots=True)
class Restored:
    """How many open messages were settled: with their real result, and with an unknown one."""

    known: int
    unknown: int


async def after_restore(settings: Settings, *, call_again: bool, now: datetime) -> Restored:
    """Make a restored database fit to be served; no daemon may run on it yet.

    A call that was under way in the backup gets the outcome that the journal tells, where it still does. All other
    messages that waited or were under way may have been called since the backup: they end with an unknown result, or
    are called (again) if ``call_again``.

    Raises CannotUseDataDir or DaemonRuns when a daemon runs, which takes up to 15 s to find out, and SchemaOld,
    SchemaUnknown and StoreFailed.
    """
    store = Store(settings.store_url, migrates=False)
    try:
        await refuse_while_served(settings)
        journal = Journal(settings.journal_dir)
        if call_again:
            return Restored(await _settle_known(store, journal), 0)
        known, unknown = await _end_calls(store, journal, now)
        while ended := await store.messages.end_all(
            status_id=EXPIRED_UNKNOWN, error_id=INTERNAL_SERVER_ERROR, now=now, limit=_AT_ONCE
        ):
            unknown += ended
        return Restored(known, unknown)
    finally:
        await store.close()


async def _settle_known(store: Store, journal: Journal) -> int:
    """Settle the calls whose end is in the journal; each message's retry policy says whether it is called again."""
    calls = [(left, record) for left, record in await _calls(store, journal) if record and record.ended]
    for left, record in calls:
        assert record.ended is not None
        await settle(store, left.claim, _ended(left.claim.attempt, record, record.ended.at))
    return len(calls)


async def _end_calls(store: Store, journal: Journal, now: datetime) -> tuple[int, int]:
    """End all calls and their messages; return how many have their real result, and how many an unknown one."""
    calls = await _calls(store, journal)
    known = 0
    for left, record in calls:
        claim, attempt = left.claim, _ended(left.claim.attempt, record, now)
        assert attempt.status_id is not None
        assert attempt.error_id is not None
        status_id, error_id = attempt.status_id, attempt.error_id
        # A failed attempt that had a retry left may have been tried again since the backup.
        if status_id != DELIVERED_TO_HANDSET and next_attempt(claim.message.content.retry, attempt.number, now):
            status_id, error_id = EXPIRED_UNKNOWN, INTERNAL_SERVER_ERROR
        await store.calls.finish(claim.key, attempt, status_id=status_id, error_id=error_id, done_at=now)
        known += status_id != EXPIRED_UNKNOWN
    return known, len(calls) - known


async def _calls(store: Store, journal: Journal) -> list[tuple[OpenAttempt, Record | None]]:
    """The calls that were under way in the backup, each with the journal's record of its latest leg."""
    left = await store.calls.all_open()
    records = await journal.read([name for one in left for name in _channel_ids(one.claim.attempt)])
    calls = []
    for one in left:
        legs = [records[name] for name in _channel_ids(one.claim.attempt) if name in records]
        calls.append((one, legs[-1] if legs else None))
    return calls


def _channel_ids(attempt: Attempt) -> list[str]:
    """The channel ids of its legs, also of those that were dialled after the backup."""
    return [attempt.id, *(f"{attempt.id}-{leg}" for leg in range(1, _MOST_LEGS))]


def _ended(attempt: Attempt, record: Record | None, now: datetime) -> Attempt:
    ended = record.ended if record and record.ended else lost(now)
    answered_at = record.answered_at if record else None
    status_id, error_id = outcome_of(ended, answered=answered_at is not None)
    return replace(
        attempt,
        answered_at=answered_at,
        ended_at=ended.at,
        cause=ended.cause,
        sip_status=final_sip_status(ended, answered=answered_at is not None),
        hung_up_by=None if ended.lost else ended.by,
        status_id=status_id,
        error_id=error_id,
    )

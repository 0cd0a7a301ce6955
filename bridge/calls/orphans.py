"""What is to be done about an attempt that nobody looks after, from what can be known of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.messages.attempt import Leg
from bridge.telephony.events import Ended
from bridge.telephony.failover import ended_of
from bridge.telephony.records import Record

FRESH = timedelta(seconds=3)
"""An attempt that was begun so lately may still be on its way: from the store to us, or from Asterisk to its disk."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an attempt at ``now``, and from where.

    ``has_channel`` is what its Asterisk says, None when it says nothing. ``record`` is the journal's of its latest leg,
    which proves something by its absence only when ``journal_is_kept``. ``refused`` is the latest leg before that one
    which was dialled. ``was_seen`` says that the store knows of ringing or of an answer. ``is_over`` says that whatever
    there was must have ended by now.
    """

    now: datetime
    begun_at: datetime
    has_channel: bool | None
    record: Record | None = None
    journal_is_kept: bool = False
    refused: Leg | None = None
    was_seen: bool = False
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Adopt:
    """The call goes on: follow it."""


@dataclass(frozen=True, slots=True)
class Settle:
    """The call is over, and ended so."""

    ended: Ended


@dataclass(frozen=True, slots=True)
class Release:
    """Nothing was ever dialled: as if it had never been claimed."""


@dataclass(frozen=True, slots=True)
class Wait:
    """It is not known yet."""


Decision = Adopt | Settle | Release | Wait


def decide(evidence: Evidence) -> Decision:
    """Never gives back what may have been dialled, and comes to an end when the call must be over."""
    record = evidence.record
    if record is not None and record.ended is not None:
        return Settle(record.ended)
    if evidence.has_channel:
        return Adopt()
    if not evidence.is_over and (evidence.has_channel is None or _is_fresh(evidence)):
        return Wait()
    if record is not None or evidence.was_seen or evidence.has_channel is None:
        return Settle(lost(evidence.now))
    if evidence.refused is not None:
        return Settle(ended_of(evidence.refused))
    return Release() if evidence.journal_is_kept else Settle(lost(evidence.now))


def _is_fresh(evidence: Evidence) -> bool:
    record = evidence.record
    began_at = evidence.begun_at if record is None else max(evidence.begun_at, record.dialled_at)
    return evidence.now - began_at < FRESH


def within_limit(ended: Ended, answered_at: datetime | None, limit: float) -> Ended:
    """An end that nobody knows was no later than the call's limit, seconds from the answer, let it be."""
    if answered_at is None or not ended.lost:
        return ended
    return replace(ended, at=min(ended.at, answered_at + timedelta(seconds=limit)))


def lost(at: datetime) -> Ended:
    """The end of a call of which nothing more is known."""
    return Ended(at, 0, None, timed_out=False, by="callee", lost=True)

"""Orphans: what to do about an attempt that no process follows, from what is known of it. No I/O."""

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
    """What is known of an attempt at ``now``.

    ``has_channel`` is whether its Asterisk has its channel, None when Asterisk does not say. ``record`` is the
    journal's of its latest leg; that there is none proves something only when ``journal_is_kept``. ``refused`` is the
    latest leg before that one which was dialled. ``was_seen`` is whether the store knows of ringing or of an answer.
    ``is_over`` is whether its call must have ended by now.
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
    """Nothing was ever dialled: give the claim back."""


@dataclass(frozen=True, slots=True)
class Wait:
    """It is not known yet."""


Decision = Adopt | Settle | Release | Wait


def decide(evidence: Evidence) -> Decision:
    """What to do about an orphan: what may have been dialled is never given back, and no wait outlasts the call."""
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
    """The end of a call; one that is lost is no later than ``limit`` seconds after the answer."""
    if answered_at is None or not ended.lost:
        return ended
    return replace(ended, at=min(ended.at, answered_at + timedelta(seconds=limit)))


def lost(at: datetime) -> Ended:
    """The end of a call whose real end is not known."""
    return Ended(at, 0, None, timed_out=False, by="callee", lost=True)

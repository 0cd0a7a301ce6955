"""Outcomes of attempts, and storing them: the message ends, or waits for another attempt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog

from bridge.base.errors import VoicebridgeError
from bridge.calls.detail import CallDetail
from bridge.messages.attempt import Attempt
from bridge.messages.retry import next_attempt
from bridge.messages.statuses import (
    CANCELED,
    DELIVERED_TO_HANDSET,
    EXPIRED_EXPIRED,
    PENDING_ACCEPTED,
    PENDING_TIME_VIOLATION,
    REQUEST_TIMEOUT,
    UNDELIVERABLE_NOT_DELIVERED,
)
from bridge.messages.windows import next_opening
from bridge.store import Claim, CommitUnknown, Store
from bridge.store.persistence import until_stored
from bridge.telephony.causes import final_sip_status, outcome_of
from bridge.telephony.events import Ended

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: its status and error, and what happened on the call if there was one."""

    attempt: Attempt
    status_id: int
    error_id: int
    detail: CallDetail = field(default_factory=CallDetail)
    ended: Ended | None = None


class NotDialled(VoicebridgeError):
    """Its window has closed since it was claimed, or nothing more is to be dialled, or Asterisk does not begin it."""

    id = "NOT_DIALLED"


def outcome(attempt: Attempt, detail: CallDetail, ended: Ended, *, is_canceled: bool, gave_up: bool) -> Outcome:
    """The outcome of a call that is over; ``gave_up`` when its trunk was left because it said nothing."""
    answered = detail.answered_at is not None
    status_id, error_id = outcome_of(ended, answered=answered, by_machine=detail.answered_by == "machine")
    if is_canceled and not answered:
        status_id, error_id = UNDELIVERABLE_NOT_DELIVERED, CANCELED
    elif gave_up and not detail.rang and not ended.lost:
        status_id, error_id = EXPIRED_EXPIRED, REQUEST_TIMEOUT
    return Outcome(attempt, status_id, error_id, detail, ended)


def finished(outcome: Outcome) -> Attempt:
    """The attempt with all that is known of it at its end."""
    detail, ended = outcome.detail, outcome.ended
    attempt = replace(
        outcome.attempt,
        ringing_at=detail.ringing_at,
        answered_at=detail.answered_at,
        ended_at=datetime.now(UTC),
        status_id=outcome.status_id,
        error_id=outcome.error_id,
        answered_by=detail.answered_by,
        answered_by_reason=detail.answered_by_reason,
        spoken=detail.spoken,
        inputs=detail.inputs,
        collected=detail.collected,
        transfers=detail.transfers,
        limit_reached=detail.limit_reached,
    )
    if ended is None:
        return attempt
    sip_status = final_sip_status(ended, answered=detail.answered_at is not None)
    by = None if ended.lost or ended.unsent else ended.by
    return replace(attempt, ended_at=ended.at, cause=ended.cause, sip_status=sip_status, hung_up_by=by)


async def settle(store: Store, claim: Claim, attempt: Attempt) -> bool:
    """Store how the attempt ended, as soon as the store takes it; False when somebody else has done so before."""
    may_be_ours = False

    async def once() -> bool:
        nonlocal may_be_ours
        try:
            return await _settle(store, claim, attempt) or may_be_ours
        except CommitUnknown:
            may_be_ours = True
            raise

    return await until_stored(once)


async def _settle(store: Store, claim: Claim, attempt: Attempt) -> bool:
    """Have the message wait for another attempt if its retry policy and validity allow it; else end it."""
    message, end = claim.message, attempt.ended_at
    assert end is not None
    assert attempt.status_id is not None
    assert attempt.error_id is not None
    again = None
    if attempt.status_id != DELIVERED_TO_HANDSET:
        again = next_attempt(message.content.retry, attempt.number, end)
    due_at = again and next_opening(message.content.window, again)
    if due_at and due_at < message.expires_at:
        status_id = PENDING_ACCEPTED if due_at == again else PENDING_TIME_VIOLATION
        return await store.calls.retry(claim.key, attempt, due_at, status_id)
    return await store.calls.finish(
        claim.key, attempt, status_id=attempt.status_id, error_id=attempt.error_id, done_at=end
    )

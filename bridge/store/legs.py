"""Further legs: an attempt goes on over another trunk after one that did not take the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, update

from bridge.messages.attempt import Leg
from bridge.store import nodes, trunks
from bridge.store.claims import Claim, ends_by
from bridge.store.rows import refused_value
from bridge.store.tables import attempts
from bridge.store.trunks import TrunkLimit
from bridge.telephony.formats import Formats

_OTHER_CALLS = trunks.CALLS.where(attempts.c.id != bindparam("attempt_id"))
_GO_ON = (
    update(attempts)
    .where(attempts.c.id == bindparam("attempt_id"), attempts.c.ended_at.is_(None))
    .values(
        trunk=bindparam("new_trunk"),
        sent_to=bindparam("to_trunk"),
        sent_from=bindparam("from_trunk"),
        dialled_at=bindparam("starts_at"),
        ends_by=bindparam("over"),
        refused=bindparam("legs", type_=attempts.c.refused.type),
    )
)


def next_leg(
    connection: Connection,
    claim: Claim,
    leg: Leg,
    limit_of: TrunkLimit,
    *,
    formats: Formats,
    clock: Callable[[], datetime],
    instance: str | None,
) -> Claim | None:
    """Have an attempt go on over another trunk, and commit that.

    None when the attempt is over, its node superseded, or the trunk full.
    """
    if not nodes.has_name(connection, claim.attempt.node, instance):
        return None
    turn = trunks.turn(connection, limit_of, clock)
    starts_at = turn.at
    this = {"attempt_id": claim.attempt.id}
    if connection.execute(_OTHER_CALLS, {**this, "trunk": limit_of.name}).scalar_one() >= limit_of.max_calls:
        return None
    sent_to, sent_from = formats.sent(limit_of.name, claim.message.to, claim.message.sender)
    attempt = replace(
        claim.attempt,
        trunk=limit_of.name,
        sent_to=sent_to,
        sent_from=sent_from,
        dialled_at=starts_at,
        refused=[*claim.attempt.refused, leg],
    )
    gone_on = connection.execute(
        _GO_ON,
        {
            **this,
            "new_trunk": attempt.trunk,
            "to_trunk": sent_to,
            "from_trunk": sent_from,
            "starts_at": starts_at,
            "over": ends_by(claim.message.content, starts_at),
            "legs": refused_value(attempt),
        },
    )
    if gone_on.rowcount == 0:
        return None
    trunks.take(connection, limit_of, turn, node=attempt.node, count=1)
    return replace(claim, attempt=attempt, starts_at=starts_at)

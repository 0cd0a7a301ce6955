"""What is done about an attempt that nobody looks after, over every combination of what can be known of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from bridge.calls.orphans import Adopt, Decision, Evidence, Release, Settle, Wait, decide, lost, within_limit
from bridge.messages.attempt import Leg
from bridge.telephony.causes import outcome_of
from bridge.telephony.events import Ended
from bridge.telephony.records import Record

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(minutes=10)
JUST_NOW = NOW - timedelta(seconds=1)
BUSY = Ended(LONG_AGO, 17, 486, timed_out=False, by="callee")
REFUSED = Leg("first", LONG_AGO, LONG_AGO, 34, 503)
RECORDS = (
    None,
    Record(LONG_AGO),
    Record(JUST_NOW),
    Record(LONG_AGO, answered_at=LONG_AGO),
    Record(LONG_AGO, ended=BUSY),
    Record(LONG_AGO, answered_at=LONG_AGO, ended=BUSY),
)

EVERY = [
    Evidence(
        now=NOW,
        begun_at=begun_at,
        has_channel=has_channel,
        record=record,
        journal_is_kept=is_kept,
        refused=refused,
        was_seen=was_seen,
        is_over=is_over,
    )
    for begun_at, has_channel, record, is_kept, refused, was_seen, is_over in product(
        (LONG_AGO, JUST_NOW, NOW + timedelta(hours=1)),
        (True, False, None),
        RECORDS,
        (True, False),
        (None, REFUSED),
        (True, False),
        (True, False),
    )
]


def of(decision: Decision) -> list[Evidence]:
    return [evidence for evidence in EVERY if decide(evidence) == decision]


def test_nothing_is_given_back_that_may_have_been_dialled() -> None:
    released = of(Release())
    assert released
    for evidence in released:
        assert evidence.has_channel is False
        assert evidence.record is None
        assert evidence.journal_is_kept
        assert evidence.refused is None
        assert not evidence.was_seen


def test_nothing_is_given_back_that_may_still_be_on_its_way() -> None:
    assert not [evidence for evidence in of(Release()) if evidence.begun_at == JUST_NOW and not evidence.is_over]


def test_a_call_that_goes_on_is_followed_unless_the_journal_knows_its_end() -> None:
    alive = [evidence for evidence in EVERY if evidence.has_channel and not (evidence.record and evidence.record.ended)]
    assert alive
    assert of(Adopt()) == alive


def test_what_must_be_over_is_settled_or_given_back_at_once() -> None:
    assert not [evidence for evidence in of(Wait()) if evidence.is_over]


def test_one_waits_only_for_an_asterisk_or_for_what_has_just_begun() -> None:
    for evidence in of(Wait()):
        is_new = evidence.begun_at >= JUST_NOW or (evidence.record and evidence.record.dialled_at == JUST_NOW)
        assert evidence.has_channel is None or is_new


def test_the_end_that_the_journal_has_is_the_end() -> None:
    ended = [evidence for evidence in EVERY if evidence.record and evidence.record.ended]
    assert {decide(evidence) for evidence in ended} == {Settle(BUSY)}


@pytest.mark.parametrize(
    ("evidence", "outcome"),
    [
        (Evidence(NOW, LONG_AGO, has_channel=False, record=Record(LONG_AGO)), (22, 5500)),
        (Evidence(NOW, LONG_AGO, has_channel=False, record=Record(LONG_AGO, answered_at=LONG_AGO)), (5, 5000)),
        (Evidence(NOW, LONG_AGO, has_channel=None, is_over=True), (22, 5500)),
        (Evidence(NOW, LONG_AGO, has_channel=False, was_seen=True), (22, 5500)),
        (Evidence(NOW, LONG_AGO, has_channel=False, refused=REFUSED), (15, 5503)),
        (Evidence(NOW, LONG_AGO, has_channel=None, record=Record(LONG_AGO, ended=BUSY)), (15, 5002)),
    ],
)
def test_what_became_of_a_call_is_told_as_far_as_it_is_known(evidence: Evidence, outcome: tuple[int, int]) -> None:
    decision = decide(evidence)
    assert isinstance(decision, Settle)
    answered = evidence.record is not None and evidence.record.answered_at is not None
    assert outcome_of(decision.ended, answered=answered) == outcome


def test_a_call_whose_end_nobody_knows_lasted_no_longer_than_it_may() -> None:
    answered_at = NOW - timedelta(seconds=100)
    assert within_limit(lost(NOW), answered_at, 12).at == answered_at + timedelta(seconds=12)
    assert within_limit(lost(NOW), answered_at, 900) == lost(NOW)
    assert within_limit(lost(NOW), None, 12) == lost(NOW)
    assert within_limit(BUSY, answered_at, 12) == BUSY

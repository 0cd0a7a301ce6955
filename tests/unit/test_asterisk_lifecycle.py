"""How far a channel has come, whatever AMI tells of it twice, late or in another order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.asterisk.ami.wire import Event
from bridge.asterisk.channel.lifecycle import ChannelState, Lifecycle
from bridge.asterisk.channel.limit import CallLimit
from bridge.telephony.events import Answered, CallEvent, Ended, Origination, Ready, Ringing
from bridge.telephony.records import Record

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BEFORE = datetime(2026, 11, 23, 11, tzinfo=UTC)

RINGS: Event = {"Event": "Newstate", "ChannelState": "5"}
EARLY_MEDIA: Event = {"Event": "DialState", "DialStatus": "PROGRESS", "ChannelState": "3"}
UP: Event = {"Event": "Newstate", "ChannelState": "6"}
UNDER_AGI: Event = {"Event": "AsyncAGIStart", "ChannelState": "6"}
FAILED: Event = {"Event": "OriginateResponse", "Reason": "0"}
RING_TIME_OVER: Event = {"Event": "OriginateResponse", "Reason": "3"}
BUSY: Event = {"Event": "Hangup", "Cause": "17", "TechCause": "486"}
NOBODY_CAME: Event = {"Event": "Hangup", "Cause": "19", "TechCause": "487"}


def a_life() -> Lifecycle:
    return Lifecycle(CallLimit(Origination("vb-1", "38512345", "trunk", ring_timeout=20), lambda: 0.0))


def told_of(life: Lifecycle, *events: Event) -> list[CallEvent]:
    return [told for event in events for told in life.hear(event, NOW)]


@pytest.mark.parametrize(
    ("events", "state", "told"),
    [
        ([], ChannelState.ORDERED, []),
        ([FAILED], ChannelState.ORDERED, []),
        ([RINGS], ChannelState.RINGING, [Ringing(NOW)]),
        ([EARLY_MEDIA, RINGS], ChannelState.RINGING, [Ringing(NOW)]),
        ([RINGS, UP], ChannelState.ANSWERED, [Ringing(NOW), Answered(NOW)]),
        ([UP, RINGS, UP], ChannelState.ANSWERED, [Answered(NOW)]),
        ([UNDER_AGI, UP], ChannelState.READY, [Answered(NOW), Ready(NOW)]),
        ([BUSY], ChannelState.ORDERED, []),
        ([RINGS, BUSY], ChannelState.RINGING, [Ringing(NOW)]),
        ([BUSY, FAILED, UP], ChannelState.ENDED, [Ended(NOW, 17, 486, timed_out=False, by="callee")]),
        ([FAILED, BUSY, RINGS], ChannelState.ENDED, [Ended(NOW, 17, 486, timed_out=False, by="callee")]),
        ([RING_TIME_OVER, NOBODY_CAME], ChannelState.ENDED, [Ended(NOW, 19, None, timed_out=True, by="caller")]),
    ],
)
def test_a_channel_comes_as_far_as_was_told(events: list[Event], state: ChannelState, told: list[CallEvent]) -> None:
    life = a_life()
    assert told_of(life, *events) == told
    assert life.state is state


@given(st.lists(st.sampled_from([RINGS, EARLY_MEDIA, UP, UNDER_AGI, FAILED, RING_TIME_OVER, BUSY, NOBODY_CAME])))
def test_a_channel_only_ever_goes_on(events: list[Event]) -> None:
    life = a_life()
    states = [life.state]
    for event in events:
        life.hear(event, NOW)
        states.append(life.state)
    assert states == sorted(states)


def test_a_hangup_alone_is_half_an_end() -> None:
    life = a_life()
    assert told_of(life, BUSY) == []
    assert life.is_half_ended
    assert life.end_half_known(NOW) == [Ended(NOW, 17, 486, timed_out=False, by="callee")]
    assert not life.is_half_ended
    assert life.end_half_known(NOW) == []


def test_an_answered_channel_ends_with_its_hangup() -> None:
    life = a_life()
    told_of(life, UP)
    assert told_of(life, BUSY) == [Ended(NOW, 17, 486, timed_out=False, by="callee")]


@pytest.mark.parametrize("why", ["hanging_up", "given_up"])
def test_what_we_end_is_ended_by_the_caller(why: str) -> None:
    life = a_life()
    setattr(life, why, True)
    assert told_of(life, FAILED, BUSY) == [Ended(NOW, 17, None, timed_out=False, by="caller")]


def test_an_originate_that_failed_without_a_word_of_a_channel_had_none() -> None:
    life = a_life()
    told_of(life, FAILED)
    assert life.failed_unheard
    life.catch_up({"ChannelState": "0", "Exten": ""}, None, NOW, is_silent=True)
    assert life.state is ChannelState.FOUND
    assert not life.failed_unheard


def test_the_journal_tells_what_was_missed_of_a_channel_that_lives() -> None:
    life = a_life()
    record = Record(BEFORE, answered_at=BEFORE)
    channel = {"ChannelState": "6", "Exten": "commands"}
    assert life.catch_up(channel, record, NOW, is_silent=False) == [Answered(BEFORE), Ready(NOW)]
    assert not life.heard_all
    assert life.catch_up(channel, record, NOW, is_silent=False) == []


def test_the_journal_may_tell_of_ringing_after_the_answer() -> None:
    life = a_life()
    told_of(life, UP)
    ended = Ended(BEFORE, 16, None, timed_out=False, by="callee")
    record = Record(BEFORE, answered_at=BEFORE, ended=ended, rang=True)
    assert life.settle(record, NOW, last_known=BEFORE, never_begun=False) == [Ringing(BEFORE), ended]


@pytest.mark.parametrize(("was_heard_of", "dialled"), [(True, True), (False, False)])
def test_a_channel_of_which_nothing_is_left_was_never_begun_unless_it_was_heard_of(
    was_heard_of: bool, dialled: bool
) -> None:
    life = a_life()
    told_of(life, *([RINGS] if was_heard_of else []))
    (ended,) = life.settle(None, NOW, last_known=BEFORE, never_begun=True)
    expected = Ended(BEFORE, 0, None, timed_out=False, by="callee", lost=True)
    assert ended == replace(expected, lost=dialled, dialled=dialled)

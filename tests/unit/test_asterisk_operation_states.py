"""One operation on a channel and the silence behind it, by what was sent, lost, stopped and answered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.asterisk.channel import agi, operations
from bridge.asterisk.channel.limit import CallLimit
from bridge.asterisk.channel.operations import AgiOperation, OperationState
from bridge.asterisk.channel.silence import BackgroundSilence, SilenceState
from bridge.telephony.events import Origination, PlaybackEnded, TransferOrder

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STATES = st.lists(st.sampled_from(OperationState))


def a_playback() -> AgiOperation:
    return operations.playback("STREAM FILE", seconds=2.0)


@given(STATES)
def test_what_is_over_stays_over_and_what_is_stopped_is_not_begun_again(states: list[OperationState]) -> None:
    operation = a_playback()
    seen = []
    for state in states:
        operation.become(state)
        seen.append(operation.state)
    if OperationState.STOPPING in seen:
        assert set(seen[seen.index(OperationState.STOPPING) :]) <= {OperationState.STOPPING, OperationState.OVER}
    if OperationState.OVER in seen:
        assert set(seen[seen.index(OperationState.OVER) :]) == {OperationState.OVER}


@pytest.mark.parametrize(
    ("state", "seconds_later", "position", "is_lost"),
    [
        (OperationState.IN_DOUBT, 1.9, 0, True),
        (OperationState.IN_DOUBT, 2.0, 0, False),
        (OperationState.IN_DOUBT, 1.9, 160, False),
        (OperationState.UNDER_WAY, 1.9, 0, False),
    ],
)
def test_a_prompt_in_doubt_was_never_heard_of_when_the_channel_is_idle_too_soon(
    state: OperationState, seconds_later: float, position: int, is_lost: bool
) -> None:
    operation = a_playback()
    operation.order(10.0)
    operation.told(state)
    assert operation.was_never_heard_of(agi.Answer(0, position=position), 10.0 + seconds_later) is is_lost


@pytest.mark.parametrize(
    ("answer", "stops", "complete"),
    [(agi.Answer(0), False, True), (agi.Answer(49), False, False), (None, False, False), (agi.Answer(0), True, False)],
)
def test_a_playback_is_complete_unless_it_was_stopped_or_failed(
    answer: agi.Answer | None, stops: bool, complete: bool
) -> None:
    operation = a_playback()
    operation.order(0.0)
    if stops:
        operation.become(OperationState.STOPPING)
    assert operation.end(answer, NOW) == PlaybackEnded(NOW, complete)


def test_that_it_has_begun_is_said_once() -> None:
    begun: list[str] = []
    operation = operations.playback("STREAM FILE", begun=lambda: begun.append("it"))
    operation.order(0.0)
    operation.told(OperationState.IN_DOUBT)
    operation.order(1.0)
    operation.told(OperationState.UNDER_WAY)
    assert begun == ["it"]


def a_silence() -> BackgroundSilence:
    silence = BackgroundSilence()
    silence.fill_with("EXEC Playback", 20.0)
    return silence


def test_silence_gives_way_to_one_stop_and_its_last_moment_is_waited_out() -> None:
    silence = a_silence()
    assert silence.give_way(0.0) == (0, 0)
    assert silence.begin("silence-1", 0.0) == "EXEC Playback"
    assert not silence.may_begin
    assert silence.give_way(10.0) == (1, 0)
    silence.begin("silence-2", 0.0)
    assert silence.give_way(19.9) == (0, 0)
    assert silence.state is SilenceState.OFF


def test_silence_behind_an_operation_lasts_from_the_end_of_that() -> None:
    silence = a_silence()
    silence.begin("silence-1", 0.0)
    silence.operation_over(15.0)
    assert silence.give_way(25.0) == (1, 0)


def test_what_is_found_may_take_two_stops_or_none() -> None:
    silence = a_silence()
    assert silence.lose_sight() == silence.command_id
    assert silence.give_way(1000.0) == (2, 2)


def test_silence_that_ends_early_twice_in_a_row_cannot_be_played() -> None:
    """Once, a stop that came late may have hit it."""
    silence = a_silence()
    waits = []
    for _ in range(3):
        silence.begin("silence-1", 0.0)
        waits.append(silence.end(0.1))
    assert waits == [0.0, 1.0, 1.0]
    silence.begin("silence-1", 0.0)
    assert silence.end(20.0) == 0.0


@pytest.mark.parametrize(
    ("call_timeout", "ends"), [(None, (920.0, 900.0, 980.0, 900.0)), (60, (80.0, 60.0, 60.0, 60.0))]
)
def test_a_call_without_a_limit_of_its_own_lasts_as_long_as_its_transfer(
    call_timeout: int | None, ends: tuple[float, ...]
) -> None:
    limit = CallLimit(Origination("a", "1", "trunk", ring_timeout=20, call_timeout=call_timeout), lambda: 0.0)
    seen = [limit.ends_at]
    limit.answered()
    seen.append(limit.ends_at)
    limit.transfer_begins(TransferOrder(("4179",), ring_seconds=20, max_seconds=60))
    seen.append(limit.ends_at)
    limit.transfer_over()
    seen.append(limit.ends_at)
    assert tuple(seen) == ends

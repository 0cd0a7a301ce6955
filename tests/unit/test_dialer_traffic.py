"""What is counted of a trunk's calls, and by whom they were refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.dialer.traffic import Traffic
from bridge.store import TrunkLimit
from bridge.telephony.events import Ended

LIMIT = TrunkLimit("main", calls_per_second=10, max_calls=100)


class Time:
    """A clock that stands still until it is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def traffic() -> Traffic:
    return Traffic([LIMIT, TrunkLimit("other", 5, 50)], clock=lambda: 100.0)


def ended(sip_status: int | None, cause: int = 16) -> Ended:
    return Ended(datetime.now(UTC), cause, sip_status, timed_out=False, by="callee")


def call(main: Traffic, end: Ended, *, rang: bool = False, gave_up: bool = False) -> None:
    """A leg of the trunk ``main``."""
    main.began("main", 0.002)
    if rang:
        main.taken("main")
    main.ended("main", end, rang=rang, gave_up=gave_up)


@pytest.mark.parametrize("sip_status", [401, 403, 407, 408, 488, 500, 502, 503, 504])
def test_a_leg_that_the_trunk_refuses_is_the_carriers_refusal(sip_status: int) -> None:
    main = traffic()
    call(main, ended(sip_status))
    assert main.standing()["main"].refused_by_carrier == 1
    assert main.standing()["main"].held_by_own_limit == 0
    assert main.standing()["other"].refused_by_carrier == 0


@pytest.mark.parametrize("sip_status", [None, 200, 404, 410, 480, 484, 486, 487, 600, 603, 604])
def test_what_the_telephone_says_is_no_refusal_of_the_trunk(sip_status: int | None) -> None:
    main = traffic()
    call(main, ended(sip_status))
    assert main.standing()["main"].refused_by_carrier == 0


def test_a_leg_that_was_sent_to_nobody_is_no_refusal_but_spares_the_trunk() -> None:
    main = traffic()
    for _ in range(20):
        call(main, replace(ended(None, cause=38), unsent=True))
    assert main.standing()["main"].refused_by_carrier == 0
    assert main.limit("main") is LIMIT
    assert main.is_spared("main", refusals=3)


def test_a_trunk_that_we_stop_to_wait_for_has_not_taken_the_leg() -> None:
    main = traffic()
    call(main, ended(None), gave_up=True)
    assert main.standing()["main"].refused_by_carrier == 1


def test_what_asterisk_has_never_begun_was_refused_by_no_carrier() -> None:
    main = traffic()
    call(main, replace(ended(None, cause=38), dialled=False))
    assert main.standing()["main"].refused_by_carrier == 0


def test_our_own_limit_is_counted_apart() -> None:
    main = traffic()
    main.held("main", 3)
    assert main.standing()["main"].held_by_own_limit == 3
    assert main.standing()["main"].refused_by_carrier == 0


def test_calls_under_way_are_counted_adopted_ones_included() -> None:
    main = traffic()
    main.began("main", 0.002)
    main.began("main")
    assert main.standing()["main"].calls == 2
    main.ended("main", ended(None), rang=True, gave_up=False)
    assert main.standing()["main"].calls == 1


@pytest.mark.parametrize(("sip_status", "cause"), [(503, 34), (None, 34), (None, 42)])
def test_a_trunk_without_room_is_called_more_slowly(sip_status: int | None, cause: int) -> None:
    main = traffic()
    for _ in range(5):
        call(main, ended(sip_status, cause))
    assert main.limit("main") == TrunkLimit("main", calls_per_second=5, max_calls=100)
    assert main.standing()["main"].calls_per_second == 5
    assert main.limit("other").calls_per_second == 5


@pytest.mark.parametrize(("sip_status", "rang"), [(503, True), (486, False), (403, False), (None, False)])
def test_other_ends_leave_the_pace_alone(sip_status: int | None, rang: bool) -> None:
    main = traffic()
    for _ in range(20):
        call(main, ended(sip_status), rang=rang)
    assert main.limit("main") is LIMIT


def test_an_asterisk_that_rejects_or_is_slow_is_given_less() -> None:
    rejecting, slow = traffic(), traffic()
    rejecting.rejected("main")
    for _ in range(9):
        slow.began("main", 0.8)
    assert rejecting.limit("main").calls_per_second == 5
    assert slow.limit("main").calls_per_second == 5


def test_a_call_that_outlived_its_trunks_settings_harms_nothing() -> None:
    main = traffic()
    main.began("gone")
    main.ended("gone", ended(503), rang=False, gave_up=False)
    assert set(main.standing()) == {"main", "other"}


def refusing_three_times() -> tuple[Traffic, Time]:
    time = Time()
    main = Traffic([LIMIT], clock=time)
    for _ in range(3):
        assert not main.is_spared("main", refusals=3)
        call(main, ended(503))
    assert main.is_spared("main", refusals=3)
    return main, time


@pytest.mark.parametrize(("end", "gave_up"), [(ended(503), False), (ended(402), False), (ended(None), True)])
def test_a_trunk_that_takes_none_of_its_calls_is_spared_for_half_a_minute(end: Ended, gave_up: bool) -> None:
    time = Time()
    main = Traffic([LIMIT], clock=time)
    for refusals in (1, 2, 3):
        call(main, end, gave_up=gave_up)
        assert main.is_spared("main", refusals)
        assert not main.is_spared("main", refusals + 1)
    time.now += 29
    assert main.is_spared("main", refusals=3)
    time.now += 2
    assert not main.is_spared("main", refusals=3)


def test_from_time_to_time_a_call_finds_out_whether_a_spared_trunk_is_well_again() -> None:
    main, time = refusing_three_times()
    for _ in range(4):
        time.now += 31
        assert not main.is_spared("main", refusals=3)
        main.claimed("main")
        assert main.is_spared("main", refusals=3)
        call(main, ended(503))


@pytest.mark.parametrize(("end", "rang"), [(ended(None), True), (ended(486), False), (ended(404), False)])
def test_a_call_that_is_taken_ends_the_sparing(end: Ended, rang: bool) -> None:
    main, _ = refusing_three_times()
    call(main, end, rang=rang)
    assert not main.is_spared("main", refusals=1)


def test_the_sparing_ends_as_soon_as_a_telephone_rings() -> None:
    main, _ = refusing_three_times()
    main.began("main", 0.002)
    main.taken("main")
    assert not main.is_spared("main", refusals=1)


def test_the_end_of_an_older_call_does_not_tell_that_a_trunk_is_well_again() -> None:
    main, _ = refusing_three_times()
    main.ended("main", ended(None), rang=True, gave_up=False)
    assert main.is_spared("main", refusals=3)


def test_a_call_that_we_ended_ourselves_tells_nothing_of_the_trunk() -> None:
    main, _ = refusing_three_times()
    call(main, replace(ended(None), by="caller"))
    assert main.is_spared("main", refusals=3)
    assert not main.is_spared("main", refusals=4)


async def begun_at(main: Traffic, starts: list[datetime]) -> list[datetime]:
    """When calls with these turns have begun, the first one first."""
    moments = []

    async def call(starts_at: datetime) -> None:
        await main.turn("main", starts_at)
        moments.append(datetime.now(UTC))

    await asyncio.gather(*map(call, starts))
    return moments


async def test_calls_that_missed_their_turns_come_one_by_one() -> None:
    now = datetime.now(UTC)
    late = await begun_at(Traffic([LIMIT]), [now - timedelta(seconds=30)] * 4)
    assert all(moment - now > timedelta(seconds=0.09) * turn for turn, moment in enumerate(late))
    assert late[-1] - now < timedelta(seconds=10)


async def test_calls_that_are_ready_in_time_begin_in_their_turns() -> None:
    now = datetime.now(UTC)
    turns = [now + timedelta(seconds=tenth / 10) for tenth in (3, 1, 2)]
    in_time = await begun_at(Traffic([LIMIT]), turns)
    waits = [moment - turn for moment, turn in zip(in_time, sorted(turns), strict=True)]
    assert all(timedelta(milliseconds=-10) < wait < timedelta(seconds=5) for wait in waits), waits

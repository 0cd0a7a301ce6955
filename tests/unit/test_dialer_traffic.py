"""What is counted of a trunk's calls, and by whom they were refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bridge.asterisk import Ended
from bridge.dialer.traffic import Traffic
from bridge.store import TrunkLimit

LIMIT = TrunkLimit("main", calls_per_second=10, max_calls=100)


def traffic() -> Traffic:
    return Traffic([LIMIT, TrunkLimit("other", 5, 50)], clock=lambda: 100.0)


def ended(sip_status: int | None, cause: int = 16) -> Ended:
    return Ended(datetime.now(UTC), cause, sip_status, timed_out=False, by="callee")


@pytest.mark.parametrize("sip_status", [401, 403, 407, 408, 500, 502, 503, 504, 608])
def test_a_leg_that_the_trunk_refuses_is_the_carriers_refusal(sip_status: int) -> None:
    main = traffic()
    main.began("main", 0.002)
    main.ended("main", ended(sip_status), rang=False)
    assert main.standing()["main"].refused_by_carrier == 1
    assert main.standing()["main"].held_by_own_limit == 0
    assert main.standing()["other"].refused_by_carrier == 0


@pytest.mark.parametrize("sip_status", [None, 200, 404, 410, 480, 484, 486, 487, 600, 603, 604])
def test_what_the_telephone_says_is_no_refusal_of_the_trunk(sip_status: int | None) -> None:
    main = traffic()
    main.began("main", 0.002)
    main.ended("main", ended(sip_status), rang=False)
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
    main.ended("main", ended(None), rang=True)
    assert main.standing()["main"].calls == 1


@pytest.mark.parametrize(("sip_status", "cause"), [(503, 34), (None, 34), (None, 42)])
def test_a_trunk_without_room_is_called_more_slowly(sip_status: int | None, cause: int) -> None:
    main = traffic()
    for _ in range(5):
        main.began("main", 0.002)
        main.ended("main", ended(sip_status, cause), rang=False)
    assert main.limit("main") == TrunkLimit("main", calls_per_second=5, max_calls=100)
    assert main.standing()["main"].calls_per_second == 5
    assert main.limit("other").calls_per_second == 5


@pytest.mark.parametrize(("sip_status", "rang"), [(503, True), (486, False), (403, False), (None, False)])
def test_other_ends_leave_the_pace_alone(sip_status: int | None, rang: bool) -> None:
    main = traffic()
    for _ in range(20):
        main.began("main", 0.002)
        main.ended("main", ended(sip_status), rang=rang)
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
    main.ended("gone", ended(503), rang=False)
    assert set(main.standing()) == {"main", "other"}


async def begun_at(main: Traffic, starts: list[datetime]) -> list[float]:
    """When calls with these turns have begun, in seconds from now, the first one first."""
    loop = asyncio.get_running_loop()
    now, moments = loop.time(), []

    async def call(starts_at: datetime) -> None:
        await main.turn("main", starts_at)
        moments.append(loop.time() - now)

    await asyncio.gather(*map(call, starts))
    return moments


async def test_calls_that_missed_their_turns_come_one_by_one() -> None:
    late = await begun_at(Traffic([LIMIT]), [datetime.now(UTC) - timedelta(seconds=3)] * 4)
    assert all(later - earlier > 0.09 for earlier, later in pairwise(late))
    assert late[-1] < 1


async def test_calls_that_are_ready_in_time_begin_in_their_turns() -> None:
    now = datetime.now(UTC)
    in_time = await begun_at(Traffic([LIMIT]), [now + timedelta(seconds=tenth / 10) for tenth in (3, 1, 2)])
    assert [round(moment, 1) for moment in in_time] == [0.1, 0.2, 0.3]

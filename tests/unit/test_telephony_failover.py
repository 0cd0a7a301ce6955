"""Whether a leg is followed by the next trunk: never when a telephone may have rung."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.messages.attempt import Attempt, Leg
from bridge.messages.routes import Routes
from bridge.telephony.events import Ended
from bridge.telephony.failover import leg_of, trunks_left, was_refused

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROUTES = Routes([("", "any"), ("385", "first"), ("385", "second"), ("1", "overseas")])


def ended(
    cause: int = 16,
    sip_status: int | None = None,
    by: Literal["callee", "caller"] = "callee",
    *,
    timed_out: bool = False,
) -> Ended:
    return Ended(NOW, cause, sip_status, timed_out, by)


def attempt(trunk: str, *refused: Leg) -> Attempt:
    return Attempt("vb-1", "m", 1, "here", "a:1", trunk, None, "38512345", NOW, NOW, refused=list(refused))


OF_THE_ACCOUNT = [401, 402, 403, 407]
OF_THE_REQUEST = [400, 405, 406, 413, 414, 415, 416, 420, 421, 423, 481, 488, 491, 493]
OF_THE_NETWORK = [408, 482, 483, 500, 501, 502, 503, 504, 505, 513, 580]
OF_THE_CALLEE = [404, 410, 433, 480, 484, 485, 486, 487, 600, 603, 604, 606, 607, 608]
ELSEWHERE = [300, 301, 302, 305, 380]


@pytest.mark.parametrize("sip_status", [*OF_THE_ACCOUNT, *OF_THE_REQUEST, *OF_THE_NETWORK])
def test_a_trunk_that_does_not_take_the_call_is_left(sip_status: int) -> None:
    assert was_refused(ended(38, sip_status), rang=False, gave_up=False)


@pytest.mark.parametrize("sip_status", [*OF_THE_CALLEE, *ELSEWHERE])
def test_what_is_about_the_callee_is_the_answer(sip_status: int) -> None:
    assert not was_refused(ended(38, sip_status), rang=False, gave_up=False)


@pytest.mark.parametrize(
    ("cause", "is_left"), [(38, True), (34, True), (3, True), (17, False), (16, False), (1, False)]
)
def test_without_a_status_the_cause_says_whose_fault_it_is(cause: int, is_left: bool) -> None:
    assert was_refused(ended(cause), rang=False, gave_up=False) is is_left


def test_a_trunk_on_which_nothing_rang_in_time_is_left() -> None:
    assert was_refused(ended(by="caller"), rang=False, gave_up=True)
    assert not was_refused(ended(by="caller"), rang=False, gave_up=False), "somebody else hung up"


@given(
    st.builds(
        Ended,
        st.just(NOW),
        st.integers(0, 127),
        st.none() | st.integers(300, 699),
        st.booleans(),
        st.sampled_from(["callee", "caller"]),
        st.booleans(),
    ),
    st.booleans(),
)
def test_no_telephone_rings_twice(end: Ended, gave_up: bool) -> None:
    assert not was_refused(end, rang=True, gave_up=gave_up)
    if end.lost:
        assert not was_refused(end, rang=False, gave_up=gave_up)


def test_every_trunk_of_the_number_is_tried_once() -> None:
    first = attempt("first")
    assert list(trunks_left(ROUTES, first)) == ["second", "any"]
    leg = leg_of(first, ended(34, 503))
    assert (leg.trunk, leg.cause, leg.sip_status) == ("first", 34, 503)
    assert list(trunks_left(ROUTES, attempt("second", leg))) == ["any"]
    assert list(trunks_left(ROUTES, attempt("any", leg, leg_of(attempt("second"), ended())))) == []

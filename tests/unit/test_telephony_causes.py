"""Every way in which an attempt can end has its status and error."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import pytest

from bridge.telephony.causes import outcome_of
from bridge.telephony.events import Ended


def ended(
    cause: int = 0,
    sip_status: int | None = None,
    *,
    timed_out: bool = False,
    by: Literal["callee", "caller"] = "callee",
    lost: bool = False,
) -> Ended:
    return Ended(datetime.now(UTC), cause, sip_status, timed_out, by, lost)


def test_a_call_that_was_sent_to_nobody_has_an_error_of_its_own() -> None:
    assert outcome_of(replace(ended(38), unsent=True), answered=False) == (15, 5700)


@pytest.mark.parametrize(
    ("sip_status", "error"),
    [
        (404, 5404),
        (408, 5408),
        (480, 5480),
        (486, 5002),
        (487, 5003),
        (488, 5488),
        (500, 5500),
        (503, 5503),
        (600, 5002),
        (603, 5603),
        (606, 5606),
    ],
)
def test_a_sip_status_decides_whatever_the_cause_is(sip_status: int, error: int) -> None:
    assert outcome_of(ended(19, sip_status), answered=False) == (15, error)


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (0, 5500),
        (1, 5404),
        (3, 5404),
        (16, 5500),
        (17, 5002),
        (18, 5003),
        (19, 5003),
        (20, 5480),
        (21, 5603),
        (22, 5410),
        (28, 5484),
        (34, 5503),
        (38, 5503),
        (55, 5403),
        (88, 5503),
        (102, 5504),
        (127, 5500),
    ],
)
def test_without_a_sip_status_the_q850_cause_decides(cause: int, error: int) -> None:
    assert outcome_of(ended(cause), answered=False) == (15, error)


def test_ringing_that_we_ended_is_no_answer() -> None:
    assert outcome_of(ended(19, timed_out=True, by="caller"), answered=False) == (15, 5003)
    assert outcome_of(ended(16, by="caller"), answered=False) == (15, 5003)


@pytest.mark.parametrize("how", [ended(16), ended(16, by="caller"), ended(0, lost=True), ended(34, 503)])
def test_an_answered_call_is_delivered_however_it_ended(how: Ended) -> None:
    assert outcome_of(how, answered=True) == (5, 5000)


def test_an_end_that_nobody_saw_is_no_reason_of_the_network() -> None:
    assert outcome_of(ended(lost=True), answered=False) == (22, 5500)


def test_a_machine_that_answered_is_told_from_a_human() -> None:
    assert outcome_of(ended(cause=16), answered=True) == (5, 5000)
    assert outcome_of(ended(cause=16), answered=True, by_machine=True) == (5, 5001)
    assert outcome_of(ended(sip_status=486), answered=False, by_machine=False) == (15, 5002)

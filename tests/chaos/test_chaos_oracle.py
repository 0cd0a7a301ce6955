"""Tests of the oracle: each promise is broken once, and the oracle must find it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.lab.telephones import PhoneCall
from bridge.messages.progress import State
from bridge.messages.statuses import DELIVERED_TO_HANDSET, EXPIRED_UNKNOWN, NO_ANSWER, UNDELIVERABLE_NOT_DELIVERED
from tests.chaos.book import AttemptRow, Book, MessageRow
from tests.chaos.calls_to_make import KINDS, ToSend
from tests.chaos.oracle import Evidence, violations
from tests.chaos.traffic import Application

ID, NUMBER, PUSHED_ID, PUSHED_NUMBER = "pulled", "9990001", "pushed", "9990002"
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def attempt(number: int, begin: float, *, answered: bool) -> AttemptRow:
    status = DELIVERED_TO_HANDSET if answered else UNDELIVERABLE_NOT_DELIVERED
    answered_at = at(begin + 1) if answered else None
    return AttemptRow(f"attempt-{number}", number, "node", at(begin), answered_at, at(begin + 5), status, 5000)


def call(number: str, begin: float, *, answered: bool) -> PhoneCall:
    answered_at = at(begin + 1) if answered else None
    return PhoneCall(number, "41790000000", "call-id", at(begin), answered_at, at(begin + 4), None)


def all_well() -> Evidence:
    """Two messages, each called in vain first; the report of one is pulled, that of the other pushed."""
    application = Application()
    application.accepted[ID] = ToSend(ID, NUMBER, KINDS[0], pushed=False)
    application.accepted[PUSHED_ID] = ToSend(PUSHED_ID, PUSHED_NUMBER, KINDS[0], pushed=True)
    application.pulled[ID] = 1
    application.pushed[PUSHED_ID] = 2
    application.webhook_ids[PUSHED_ID] = {"msg_1"}
    both = (ID, PUSHED_ID)
    book = Book(
        messages={id_: MessageRow(State.DONE, DELIVERED_TO_HANDSET, 5000, 2) for id_ in both},
        attempts={id_: [attempt(1, 0, answered=False), attempt(2, 60, answered=True)] for id_ in both},
        taken={id_: [True] for id_ in both},
    )
    phone_calls = {
        number: [call(number, 0.1, answered=False), call(number, 60.1, answered=True)]
        for number in (NUMBER, PUSHED_NUMBER)
    }
    return Evidence(application, book, phone_calls, most_attempts=2, deaths=[])


def test_nothing_is_found_where_all_promises_were_kept() -> None:
    assert violations(all_well()) == []


def message_gone(evidence: Evidence) -> None:
    del evidence.book.messages[ID]


def not_over(evidence: Evidence) -> None:
    evidence.book.messages[ID] = replace(evidence.book.messages[ID], state=State.DIALLING)


def two_reports(evidence: Evidence) -> None:
    evidence.book.taken[ID].append(False)


def handed_out_twice(evidence: Evidence) -> None:
    evidence.application.pulled[ID] += 1


def report_not_taken(evidence: Evidence) -> None:
    evidence.book.taken[ID] = [False]


def report_not_received(evidence: Evidence) -> None:
    del evidence.application.pulled[ID]


def never_pushed(evidence: Evidence) -> None:
    del evidence.application.pushed[PUSHED_ID]


def pushed_with_two_ids(evidence: Evidence) -> None:
    evidence.application.webhook_ids[PUSHED_ID].add("msg_2")


def pushed_and_pulled(evidence: Evidence) -> None:
    evidence.application.pulled[PUSHED_ID] += 1


def attempt_missing(evidence: Evidence) -> None:
    del evidence.book.attempts[ID][0]


def attempt_too_many(evidence: Evidence) -> None:
    evidence.book.attempts[ID].append(attempt(3, 120, answered=False))


def attempt_open(evidence: Evidence) -> None:
    evidence.book.attempts[ID][1] = replace(evidence.book.attempts[ID][1], ended_at=None)


def attempt_unknown(evidence: Evidence) -> None:
    evidence.book.attempts[ID][0] = replace(evidence.book.attempts[ID][0], status_id=EXPIRED_UNKNOWN)


def called_again_after_the_answer(evidence: Evidence) -> None:
    first = evidence.book.attempts[ID][0]
    evidence.book.attempts[ID][0] = replace(first, status_id=DELIVERED_TO_HANDSET)


def one_call_too_many(evidence: Evidence) -> None:
    calls(evidence).append(call(NUMBER, 63, answered=False))


def two_calls_for_one_attempt(evidence: Evidence) -> None:
    calls(evidence)[1] = replace(calls(evidence)[1], started=at(4.9), answered=None)


def two_calls_at_once(evidence: Evidence) -> None:
    calls(evidence)[0] = replace(calls(evidence)[0], ended=at(62))


def call_without_attempt(evidence: Evidence) -> None:
    calls(evidence)[0] = replace(calls(evidence)[0], started=at(30), ended=at(31))


def answer_not_recorded(evidence: Evidence) -> None:
    calls(evidence)[0] = replace(calls(evidence)[0], answered=at(1))


def answer_made_up(evidence: Evidence) -> None:
    calls(evidence)[1] = replace(calls(evidence)[1], answered=None)


def answered_and_not_delivered(evidence: Evidence) -> None:
    lied = replace(evidence.book.messages[ID], status_id=UNDELIVERABLE_NOT_DELIVERED, error_id=NO_ANSWER)
    evidence.book.messages[ID] = lied


def calls(evidence: Evidence) -> list[PhoneCall]:
    found = evidence.phone_calls[NUMBER]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (message_gone, "not in the database"),
        (not_over, "not over but dialling"),
        (two_reports, "2 reports"),
        (handed_out_twice, "handed out 2 times"),
        (report_not_taken, "nobody was given its report"),
        (report_not_received, "1 reports handed out and not received, in 0 pulls"),
        (never_pushed, "never pushed"),
        (pushed_with_two_ids, "different ids"),
        (pushed_and_pulled, "handed out as well"),
        (attempt_missing, "attempts numbered [2]"),
        (attempt_too_many, "3 attempts where 2 are allowed"),
        (attempt_open, "attempt 2 is still open"),
        (attempt_unknown, "attempt 1 is unknown"),
        (called_again_after_the_answer, "called again after it was answered"),
        (one_call_too_many, "called 3 times in 2 attempts"),
        (two_calls_for_one_attempt, "2 calls for attempt 1"),
        (two_calls_at_once, "two calls at once"),
        (call_without_attempt, "belongs to no attempt"),
        (answer_not_recorded, "attempt 1 says answered at None"),
        (answer_made_up, "the telephone was never answered"),
        (answered_and_not_delivered, "answered, and has the status 9"),
    ],
)
def test_each_broken_promise_is_told(break_it: Callable[[Evidence], None], told: str) -> None:
    evidence = all_well()
    break_it(evidence)
    assert any(told in problem for problem in violations(evidence)), violations(evidence)


def test_a_report_whose_answer_got_lost_is_no_broken_promise() -> None:
    evidence = all_well()
    report_not_received(evidence)
    evidence.application.broken_pulls = 1
    assert violations(evidence) == []


@pytest.mark.parametrize(("death", "kept"), [(0.05, True), (0.9, True), (2, False), (61, False)])
def test_unknown_is_only_what_asterisk_did_not_live_to_write_down(death: float, *, kept: bool) -> None:
    """The first call, at the telephone from 0.1 s on, is answered after a second."""
    evidence = replace(all_well(), deaths=[at(death)])
    attempt_unknown(evidence)
    answer_not_recorded(evidence)
    assert (violations(evidence) == []) is kept

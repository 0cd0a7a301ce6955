"""The oracle: compares what the application was told, what the database says and what the telephones saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bridge.lab.telephones import PhoneCall
from bridge.messages.progress import State
from bridge.messages.statuses import DELIVERED_TO_HANDSET, EXPIRED_UNKNOWN
from tests.chaos.book import AttemptRow, Book
from tests.chaos.traffic import PULLED_AT_ONCE, Application

CLOCKS_DIFFER = timedelta(seconds=0.2)
"""The telephones' milliseconds are cut off, and the two ends of a call do not learn of it at the same moment."""


WRITTEN_DOWN = timedelta(seconds=0.5)
"""It may take as long until the caller's Asterisk has an answer or an end on its disk."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is known in the end. ``phone_calls`` are by number, in the order in which they began.

    ``deaths`` are the moments when an Asterisk died: what it had not written down by then nobody can know.
    """

    application: Application
    book: Book
    phone_calls: Mapping[str, Sequence[PhoneCall]]
    most_attempts: int
    deaths: Sequence[datetime]


def violations(evidence: Evidence) -> list[str]:
    """Every promise that was broken, in words; empty when all were kept."""
    found: list[str] = []
    for id_, message in evidence.application.accepted.items():
        calls = evidence.phone_calls.get(message.number, [])
        found += [f"{id_} ({message.number}): {problem}" for problem in _of_message(evidence, id_, calls)]
    return [*found, *_of_pulls(evidence.application, evidence.book)]


def _of_message(evidence: Evidence, id_: str, calls: Sequence[PhoneCall]) -> Iterator[str]:
    message = evidence.book.messages.get(id_)
    if message is None:
        yield "accepted, and not in the database"
        return
    attempts = evidence.book.attempts[id_]
    if message.state != State.DONE:
        yield f"not over but {message.state}"
    yield from _of_reports(evidence, id_)
    yield from _of_attempts(attempts, evidence.most_attempts)
    yield from _of_calls(attempts, calls)
    yield from _of_unknown(attempts, calls, evidence.deaths)
    answered = any(call.answered for call in calls)
    delivered = message.status_id == DELIVERED_TO_HANDSET
    if delivered and not answered:
        yield "delivered, and the telephone was never answered"
    if answered and not delivered and not any(_unknown(attempt) for attempt in attempts):
        yield f"answered, and has the status {message.status_id}"


def _of_reports(evidence: Evidence, id_: str) -> Iterator[str]:
    application, taken = evidence.application, evidence.book.taken[id_]
    if len(taken) != 1:
        yield f"{len(taken)} reports"
    if application.accepted[id_].pushed:
        if not application.pushed[id_]:
            yield "its report was never pushed"
        if len(application.webhook_ids[id_]) > 1:
            yield "its report was pushed with different ids"
        if application.pulled[id_]:
            yield "its report was pushed, and handed out as well"
        return
    if application.pulled[id_] > 1:
        yield f"its report was handed out {application.pulled[id_]} times"
    if not any(taken):
        yield "nobody was given its report"


def _of_attempts(attempts: Sequence[AttemptRow], most: int) -> Iterator[str]:
    if [attempt.number for attempt in attempts] != list(range(1, len(attempts) + 1)):
        yield f"attempts numbered {[attempt.number for attempt in attempts]}"
    if len(attempts) > most:
        yield f"{len(attempts)} attempts where {most} are allowed"
    for attempt in attempts:
        if attempt.ended_at is None:
            yield f"attempt {attempt.number} is still open"
    if any(attempt.status_id == DELIVERED_TO_HANDSET for attempt in attempts[:-1]):
        yield "called again after it was answered"


def _of_calls(attempts: Sequence[AttemptRow], calls: Sequence[PhoneCall]) -> Iterator[str]:
    if len(calls) > len(attempts):
        yield f"its telephone was called {len(calls)} times in {len(attempts)} attempts"
    for former, latter in pairwise(calls):
        if latter.started < former.ended - CLOCKS_DIFFER:
            yield f"two calls at once, from {former.started:%T.%f} and {latter.started:%T.%f} on"
    for attempt in attempts:
        of_attempt = [call for call in calls if _belongs(call, attempt)]
        if len(of_attempt) > 1:
            yield f"{len(of_attempt)} calls for attempt {attempt.number}"
        if _unknown(attempt):
            continue
        answered = any(call.answered for call in of_attempt)
        if answered != (attempt.answered_at is not None):
            heard = "was answered" if answered else "was not answered"
            yield f"attempt {attempt.number} says answered at {attempt.answered_at}, the telephone {heard}"
    for call in calls:
        if not any(_belongs(call, attempt) for attempt in attempts):
            yield f"a call at {call.started:%T.%f} that belongs to no attempt"


def _of_unknown(
    attempts: Sequence[AttemptRow], calls: Sequence[PhoneCall], deaths: Sequence[datetime]
) -> Iterator[str]:
    """Asterisk writes down each answer and each end: only what it did not live to see is unknown."""
    for attempt in filter(_unknown, attempts):
        seen = [call.answered or call.ended for call in calls if _belongs(call, attempt)]
        knowable_at = min([*seen, attempt.ended_at or datetime.max.replace(tzinfo=UTC)])
        if not any(attempt.dialled_at <= death <= knowable_at + WRITTEN_DOWN for death in deaths):
            yield f"attempt {attempt.number} is unknown, and could be known since {knowable_at:%T.%f}"


def _belongs(call: PhoneCall, attempt: AttemptRow) -> bool:
    end = attempt.ended_at or datetime.max.replace(tzinfo=UTC)
    return attempt.dialled_at - CLOCKS_DIFFER <= call.started <= end


def _unknown(attempt: AttemptRow) -> bool:
    return attempt.status_id == EXPIRED_UNKNOWN


def _of_pulls(application: Application, book: Book) -> Iterator[str]:
    """A report whose answer got lost on its way is gone, but no more of them than were on their way."""
    missing = len(lost_on_the_way(application, book))
    on_their_way = application.broken_pulls * PULLED_AT_ONCE
    if missing > on_their_way:
        yield f"{missing} reports handed out and not received, in {application.broken_pulls} pulls without an answer"


def lost_on_the_way(application: Application, book: Book) -> list[str]:
    """Messages whose report was handed out once, in an answer that never arrived."""
    return [
        id_
        for id_, message in application.accepted.items()
        if not message.pushed and any(book.taken[id_]) and not application.pulled[id_]
    ]


def figures(evidence: Evidence) -> str:
    """What happened, in one line."""
    application, book = evidence.application, evidence.book
    attempts = [attempt for of_message in book.attempts.values() for attempt in of_message]
    statuses = [message.status_id for message in book.messages.values()]
    calls = sum(len(of_number) for of_number in evidence.phone_calls.values())
    return (
        f"{len(application.accepted)} messages, {len(attempts)} attempts, {calls} calls at telephones, "
        f"{statuses.count(DELIVERED_TO_HANDSET)} delivered, {sum(map(_unknown, attempts))} attempts unknown, "
        f"{application.pulled.total()} reports pulled, {application.pushed.total()} pushed, "
        f"{len(lost_on_the_way(application, book))} lost on the way"
    )

"""Rows that cannot be read do not keep those beside them from being called, settled, reported and told of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.messages.message import Bulk, Content, Message, Notify
from bridge.messages.recording import Recording, RecordingState
from bridge.store import Claim, LogFilter, Store
from tests.claims import claim
from tests.poison import BODIES, TOO_LONG, change, poison_attempt, poison_content

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOTIFY = Notify("http://127.0.0.1/reports")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    yield store
    await store.close()


async def two_messages(store: Store, **members: object) -> None:
    """One that is going to be damaged, and due first, and one that is not."""
    messages = [
        Message(name, "41793026727", None, Content(text=name, **members), NOW + timedelta(seconds=n), NOW + HOUR)  # type: ignore[arg-type]
        for n, name in enumerate(("bad", "good"))
    ]
    await store.messages.accept(Bulk("bulk", "acme", NOW, messages))


async def finish(store: Store, made: Claim) -> None:
    ended = replace(made.attempt, ended_at=NOW, status_id=22, error_id=5500)
    assert await store.calls.finish(made.key, ended, status_id=22, error_id=5500, done_at=NOW)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_content_that_cannot_be_read_holds_up_no_other(store: Store, body: str) -> None:
    await two_messages(store)
    poison_content(store, "bad", body)
    bad, good = await claim(store, NOW + timedelta(minutes=1))
    assert (bad.message.id, bad.message.content.unreadable) == ("bad", True)
    assert good.message.content == Content(text="good")
    assert [found.claim for found in await store.calls.open_of("here")] == [bad, good]
    assert [found.claim for found in await store.calls.abandoned("there", NOW + 2 * HOUR, 10)] == [bad, good]
    for made in (bad, good):
        await finish(store, made)
    assert [report.message.id for report in await store.reports.take("acme")] == ["bad", "good"]
    lately = LogFilter(NOW - HOUR, NOW + HOUR)
    assert {progress.message.id for progress, _ in await store.messages.logs("acme", lately, 10)} == {"bad", "good"}


OBJECTS = [body for body in BODIES.values() if body.startswith("{") and "notify" not in body]


@pytest.mark.parametrize("body", OBJECTS)
async def test_what_is_left_of_a_content_is_where_its_report_goes(store: Store, body: str) -> None:
    await two_messages(store, notify=NOTIFY, callback_data="yours")
    kept = '"notify": {"url": "http://127.0.0.1/reports"}, "callback_data": "yours"'
    poison_content(store, "bad", f"{body[:-1]}, {kept}}}")
    for made in await claim(store, NOW + timedelta(minutes=1)):
        await finish(store, made)
    pushes = await store.outbox.claim(now=NOW, until=NOW + HOUR, busy={}, most_at_once=8, limit=8)
    reports = {push.report.message.id: push.report.message.content for push in pushes}
    assert set(reports) == {"bad", "good"}
    if TOO_LONG not in body:  # of which nothing can be read
        assert (reports["bad"].notify, reports["bad"].callback_data) == (NOTIFY, "yours")
    assert reports["bad"].sensitive, "nobody knows that it was not"


@pytest.mark.parametrize("column", ["spoken", "inputs", "collected", "transfers", "refused", "happened"])
@pytest.mark.parametrize("value", ['{"newer": 1}', "[[7]]", TOO_LONG, '"text"'])
async def test_a_column_of_an_attempt_that_cannot_be_read_holds_up_no_other(
    store: Store, column: str, value: str
) -> None:
    await two_messages(store)
    bad, good = await claim(store, NOW + timedelta(minutes=1))
    poison_attempt(store, "bad", column, value)
    left = {found.claim.message.id: found for found in await store.calls.open_of("here")}
    assert left["good"].claim == good
    assert left["bad"].claim.attempt.id == bad.attempt.id
    for made in (bad, good):
        await finish(store, made)
    poison_attempt(store, "bad", column, value)
    assert [report.message.id for report in await store.reports.take("acme")] == ["bad", "good"]
    assert len(await store.messages.attempts("acme", "bad")) == 1


@pytest.mark.parametrize(("value", "legs"), [('[{"newer": 1}, {"newer": 2}]', 2), ('{"newer": 1}', 0), ("[]", 0)])
async def test_a_leg_that_cannot_be_read_still_counts(store: Store, value: str, legs: int) -> None:
    await two_messages(store)
    await claim(store, NOW + timedelta(minutes=1))
    poison_attempt(store, "bad", "refused", value)
    (attempt,) = (found.claim.attempt for found in await store.calls.open_of("here") if found.claim.message.id == "bad")
    assert attempt.channel_id == (f"{attempt.id}-{legs}" if legs else attempt.id)
    assert (attempt.refusal is None) == (legs == 0), "what may have been dialled is not given back"


@pytest.mark.parametrize("column", ["due_at", "send_at", "expires_at"])
async def test_a_time_beyond_all_calendars_holds_up_no_other(store: Store, column: str) -> None:
    await two_messages(store)
    far = 9 * 10**18 if column == "expires_at" else -9 * 10**18
    change(store, f"UPDATE messages SET {column} = :far WHERE id = 'bad'", far=far)  # noqa: S608 - a name of ours
    claims = await claim(store, NOW + timedelta(minutes=1))
    assert {made.message.id for made in claims} == {"bad", "good"}
    assert len(await store.calls.open_of("here")) == 2


async def test_states_of_another_version_hold_up_no_other(store: Store) -> None:
    await two_messages(store)
    for made in await claim(store, NOW + timedelta(minutes=1)):
        recording = Recording(f"of-{made.message.id}", made.attempt.id, "call", NOW)
        assert await store.recordings.begin("acme", made.key, recording)
        await store.recordings.finish(replace(recording, state=RecordingState.AVAILABLE, seconds=1.0, size=16044))
        await finish(store, made)
    change(store, "UPDATE messages SET state = 'dreaming' WHERE id = 'bad'")
    change(store, "UPDATE recordings SET state = 'archived' WHERE id = 'of-bad'")
    lately = LogFilter(NOW - HOUR, NOW + HOUR)
    assert len(await store.messages.logs("acme", lately, 10)) == 2
    assert [len(report.attempt.recordings) for report in await store.reports.take("acme") if report.attempt] == [1, 1]
    assert len(await store.recordings.expired(before=NOW + HOUR, limit=10)) == 2

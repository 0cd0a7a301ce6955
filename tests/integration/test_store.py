"""The store on real databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, text

from bridge.messages.message import Bulk, Content, DeliveryTimeWindow, Message, Retry, TimeOfDay
from bridge.messages.progress import State
from bridge.messages.retry import next_attempt
from bridge.store import Claim, DuplicateId, Store, StoreFailed
from tests import claims

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DELIVERED, ANSWERED = 5, 5000
EXPIRED, TIMED_OUT = 15, 5408


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    yield store
    await store.close()


def bulk(*ids: str, account: str = "acme", bulk_id: str = "", due: datetime = NOW) -> Bulk:
    content = Content(text="Your PIN is 1,2,3,4")
    messages = [
        Message(
            id=name,
            to="99900001",
            sender="12345",
            content=content,
            send_at=due,
            expires_at=due + timedelta(hours=48),
        )
        for name in ids
    ]
    return Bulk(id=bulk_id or f"bulk-of-{ids[0]}", account=account, created_at=NOW, messages=messages)


async def claim(store: Store, now: datetime = NOW, limit: int = 100) -> list[Claim]:
    return await claims.claim(store, now, limit=limit)


async def finish(store: Store, claimed: Claim) -> None:
    attempt = replace(claimed.attempt, ended_at=NOW, status_id=DELIVERED, error_id=ANSWERED)
    await store.calls.finish(claimed.key, attempt, status_id=DELIVERED, error_id=ANSWERED, done_at=NOW)


async def test_a_message_comes_back_as_it_was_accepted(store: Store) -> None:
    content = Content(
        text="Grüße, 世界",
        retry=Retry(1, 5, 3),
        window=DeliveryTimeWindow(frozenset({0, 6}), TimeOfDay(8, 0), TimeOfDay(20, 30)),
        actions=[{"if": "dtmf", "equals": "1", "actionGroup": "confirm"}],
        action_groups={"confirm": ["hangup"]},
    )
    message = replace(bulk("m1").messages[0], content=content)
    await store.messages.accept(replace(bulk("m1"), messages=[message]))
    progress = await store.messages.progress("acme", "m1")
    assert progress is not None
    assert progress.message == message
    assert (progress.state, progress.attempts, progress.bulk_id) == (State.QUEUED, 0, "bulk-of-m1")


async def test_what_was_accepted_survives_a_restart(database_url: str) -> None:
    store = Store(database_url)
    await store.messages.accept(bulk("m1"))
    await store.close()
    store = Store(database_url)
    assert await store.messages.progress("acme", "m1") is not None
    await store.close()


async def test_a_repeated_message_id_is_refused_and_nothing_of_its_bulk_is_kept(store: Store) -> None:
    await store.messages.accept(bulk("m1"))
    with pytest.raises(DuplicateId):
        await store.messages.accept(bulk("m2", "m1", bulk_id="other"))
    assert await store.messages.progress("acme", "m2") is None
    assert await store.bulks.counts("acme", "other") is None
    with pytest.raises(DuplicateId, match="bulk-of-m1"):
        await store.messages.accept(bulk("m3", bulk_id="bulk-of-m1"))


async def test_accounts_do_not_see_each_other(store: Store) -> None:
    await store.messages.accept(bulk("m1"))
    await store.messages.accept(bulk("m1", account="other"))
    for claimed in await claim(store):
        await finish(store, claimed)
    assert await store.messages.progress("nobody", "m1") is None
    assert await store.bulks.counts("nobody", "bulk-of-m1") is None
    assert await store.reports.take("nobody") == []
    assert len(await store.reports.take("other")) == 1
    assert len(await store.reports.take("acme")) == 1


async def test_a_message_is_claimed_once_with_a_committed_attempt(store: Store) -> None:
    await store.messages.accept(bulk("m1", "m2", "m3"))
    made = [c for group in await asyncio.gather(*(claim(store) for _ in range(5))) for c in group]
    assert sorted(c.message.id for c in made) == ["m1", "m2", "m3"]
    (attempt,) = await store.messages.attempts("acme", "m1")
    assert attempt in [c.attempt for c in made]
    progress = await store.messages.progress("acme", "m1")
    assert progress is not None
    assert (progress.state, progress.attempts) == (State.DIALLING, 1)


async def test_messages_are_claimed_in_the_order_they_became_due(store: Store) -> None:
    await store.messages.accept(bulk("late", due=NOW))
    await store.messages.accept(bulk("early", due=NOW - timedelta(minutes=1)))
    await store.messages.accept(bulk("future", due=NOW + timedelta(minutes=1)))
    assert [c.message.id for c in await claim(store, limit=1)] == ["early"]
    assert [c.message.id for c in await claim(store)] == ["late"]
    nothing = await claims.ask(store, NOW)
    assert (nothing.claims, nothing.next_due) == ([], NOW + timedelta(minutes=1))


async def test_a_finished_message_has_one_report_that_is_handed_out_once(store: Store) -> None:
    await store.messages.accept(bulk(*(f"m{n}" for n in range(20))))
    for claimed in await claim(store):
        await finish(store, claimed)
    taken = await asyncio.gather(*(store.reports.take("acme", limit=7) for _ in range(8)))
    ids = [report.message.id for reports in taken for report in reports]
    assert sorted(ids) == sorted(f"m{n}" for n in range(20))
    assert await store.reports.take("acme") == []


async def test_reports_are_chosen_by_bulk_and_by_message(store: Store) -> None:
    await store.messages.accept(bulk("a1", "a2", bulk_id="a"))
    await store.messages.accept(bulk("b1", "b2", bulk_id="b"))
    for claimed in await claim(store):
        await finish(store, claimed)
    assert {r.message.id for r in await store.reports.take("acme", bulk_id="a")} == {"a1", "a2"}
    (report,) = await store.reports.take("acme", message_id="b2")
    assert report.message.id == "b2"
    assert report.attempt is not None
    assert report.attempt.error_id == ANSWERED
    assert [r.message.id for r in await store.reports.take("acme")] == ["b1"]


async def test_a_message_that_is_called_again_waits_for_its_time(store: Store) -> None:
    await store.messages.accept(bulk("m1"))
    (first,) = await claim(store)
    busy = replace(first.attempt, ended_at=NOW, cause=17, sip_status=486, status_id=EXPIRED, error_id=5002)
    await store.calls.retry(first.key, busy, NOW + timedelta(minutes=1), 26)
    assert await claim(store) == []
    (second,) = await claim(store, NOW + timedelta(minutes=1))
    assert second.attempt.number == 2
    await finish(store, second)
    assert [a.sip_status for a in await store.messages.attempts("acme", "m1")] == [486, None]
    (report,) = await store.reports.take("acme")
    assert report.attempt is not None
    assert report.attempt.number == 2


async def test_a_claim_that_is_given_back_leaves_no_trace(store: Store) -> None:
    await store.messages.accept(bulk("m1"))
    (first,) = await claim(store)
    await store.calls.release(first.key, first.attempt.id)
    assert await store.messages.attempts("acme", "m1") == []
    (second,) = await claim(store)
    assert second.attempt.number == 1
    assert second.bulk_id == "bulk-of-m1"


async def test_a_message_whose_validity_is_over_is_never_claimed_and_is_reported(store: Store) -> None:
    await store.messages.accept(bulk("m1"))
    later = NOW + timedelta(hours=48)
    assert await claim(store, later) == []
    assert await store.messages.expire(now=later, status_id=EXPIRED, error_id=TIMED_OUT, limit=100) == 1
    (report,) = await store.reports.take("acme")
    assert (report.status_id, report.error_id, report.attempt) == (EXPIRED, TIMED_OUT, None)


async def test_work_that_fails_does_not_take_its_neighbours_with_it(store: Store) -> None:
    await store.messages.accept(bulk("m1"))
    outcomes = await asyncio.gather(
        store.messages.accept(bulk("m2")),
        store.messages.accept(bulk("m1", bulk_id="again")),
        store.messages.accept(bulk("m3")),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), DuplicateId, type(None)]
    assert await store.messages.progress("acme", "m2") is not None
    assert await store.messages.progress("acme", "m3") is not None


async def test_a_database_that_cannot_write_says_so(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    with store._database.engine.connect() as connection:
        (page_count,) = connection.exec_driver_sql("PRAGMA page_count").one()
    await store.close()
    full = Store(f"sqlite:///{tmp_path / 'test.db'}?timeout=1")
    await full._database.write(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={page_count}").close())
    with pytest.raises(StoreFailed, match="full"):
        await full.messages.accept(bulk(*(f"m{n}" for n in range(2000))))
    assert await full.messages.progress("acme", "m1") is None
    await full.close()


async def test_work_whose_caller_went_away_does_not_stop_the_store(store: Store) -> None:
    waiting = [asyncio.ensure_future(store.messages.accept(bulk(f"m{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await store.messages.accept(bulk("after"))
    assert await store.messages.progress("acme", "after") is not None


async def test_work_that_may_wait_keeps_its_place_in_the_order_and_needs_no_other_work(store: Store) -> None:
    def put(value: int) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            connection.execute(text("INSERT INTO order_of_work (value) VALUES (:value)"), {"value": value})

        return work

    def values(connection: Connection) -> list[int]:
        return list(connection.exec_driver_sql("SELECT value FROM order_of_work ORDER BY place").scalars())

    database = store._database
    table = Table("order_of_work", MetaData(), Column("place", Integer, primary_key=True), Column("value", Integer))
    await database.write(table.create)
    await asyncio.gather(
        database.write_soon(put(1)), database.write(put(2)), database.write_soon(put(3)), database.write(put(4))
    )
    await database.write_soon(put(5))
    assert await database.read(values) == [1, 2, 3, 4, 5]


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="cannot be opened: No such file or directory"):
        Store(f"sqlite:///{tmp_path / 'missing' / 'test.db'}")
    (tmp_path / "text.db").write_text("this is no database, but a text that is long enough to be taken for one" * 20)
    with pytest.raises(StoreFailed, match="not a database"):
        Store(f"sqlite:///{tmp_path / 'text.db'}")


async def test_only_its_owner_can_read_the_database(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    await store.messages.accept(bulk("m1"))
    assert modes_in(tmp_path) == {0o600}
    await store.close()


def modes_in(folder: Path) -> set[int]:
    return {file.stat().st_mode & 0o777 for file in folder.iterdir()}


async def test_busy_busy_answered_is_three_attempts_on_the_ladder_and_one_report(store: Store) -> None:
    policy = Retry(min_period=1, max_period=5, max_count=4)
    message = replace(bulk("m1").messages[0], content=Content(text="Hello", retry=policy))
    await store.messages.accept(replace(bulk("m1"), messages=[message]))
    now = NOW
    for waited in (timedelta(), timedelta(minutes=1)):
        now += waited
        (claimed,) = await claim(store, now)
        busy = replace(claimed.attempt, ended_at=now, sip_status=486, status_id=EXPIRED, error_id=5002)
        due_at = next_attempt(policy, claimed.attempt.number, now)
        assert due_at is not None
        await store.calls.retry(claimed.key, busy, due_at, 26)
        assert await claim(store, due_at - timedelta(milliseconds=1)) == []
    now += timedelta(minutes=2)
    (last,) = await claim(store, now)
    answered = replace(last.attempt, answered_at=now, ended_at=now, status_id=DELIVERED, error_id=ANSWERED)
    await store.calls.finish(last.key, answered, status_id=DELIVERED, error_id=ANSWERED, done_at=now)

    attempts = await store.messages.attempts("acme", "m1")
    assert [attempt.dialled_at - NOW for attempt in attempts] == [timedelta(minutes=m) for m in (0, 1, 3)]
    assert [attempt.error_id for attempt in attempts] == [5002, 5002, ANSWERED]
    (report,) = await store.reports.take("acme")
    assert (report.status_id, report.error_id) == (DELIVERED, ANSWERED)
    assert report.attempt == attempts[-1]

"""Attempts whose process died, whose answer got lost or whose node is gone, on real databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.messages.attempt import Attempt, Input
from bridge.messages.expansion import Destination, Order, expand
from bridge.messages.message import Content
from bridge.messages.progress import State
from bridge.messages.recording import Recording
from bridge.store import Claim, NodeNameTaken, Store
from bridge.telephony.formats import Formats, TrunkFormat
from tests.claims import ask, claim

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HELLO = Content(text="Hello", ring_timeout=20, call_timeout=60)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    yield store
    await store.close()


async def claimed(store: Store, name: str = "m1", *, node: str = "here") -> Claim:
    order = Order(HELLO, [Destination("99900001", name)])
    await store.messages.accept(expand([order], account="acme", now=NOW, bulk_id=f"bulk-of-{name}"))
    (made,) = await claim(store, NOW, node=node)
    return made


def ended(made: Claim, error_id: int = 5000) -> Attempt:
    return replace(made.attempt, ended_at=NOW, status_id=5 if error_id == 5000 else 15, error_id=error_id)


async def finish(store: Store, made: Claim) -> bool:
    return await store.calls.finish(made.key, ended(made), status_id=5, error_id=5000, done_at=NOW)


async def abandoned(store: Store, now: datetime) -> list[Claim]:
    return [found.claim for found in await store.calls.abandoned("another", now, 10)]


async def test_an_open_attempt_comes_back_as_it_was_claimed_to_its_node_only(store: Store) -> None:
    made = await claimed(store)
    (found,) = await store.calls.open_of("here")
    assert found.claim == made
    assert found.ends_by == made.starts_at + (20 + 60 + 30) * SECOND
    assert found.happened == []
    assert await store.calls.open_of("elsewhere") == []
    await finish(store, made)
    assert await store.calls.open_of("here") == []


async def test_an_open_attempt_keeps_what_its_trunk_was_sent_when_the_format_is_another_one_by_now(
    database_url: str,
) -> None:
    before = Store(database_url, formats=Formats({"trunk": TrunkFormat({"": "+"}, {"41": "0"})}, "41790000000"))
    made = await claimed(before)
    assert (made.attempt.sent_to, made.attempt.sent_from) == ("+99900001", "0790000000")
    now = Store(database_url)
    (found,) = await now.calls.open_of("here")
    assert found.claim == made
    for store in (before, now):
        await store.close()


async def test_what_a_script_was_told_is_kept_while_its_call_lives_and_not_longer(store: Store) -> None:
    made = await claimed(store)
    told = [["answered", 1.5], ["key", {"digit": "1"}]]
    await store.calls.note_happened(made.attempt.id, told, NOW + 30 * MINUTE)
    (found,) = await store.calls.open_of("here")
    assert (found.happened, found.ends_by) == (told, NOW + 30 * MINUTE)
    await finish(store, made)
    await store.calls.note_happened(made.attempt.id, told, NOW + 30 * MINUTE)
    with store._database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT happened FROM attempts").scalar_one() is None


async def test_an_outcome_that_is_told_again_changes_nothing(store: Store) -> None:
    made = await claimed(store)
    assert await finish(store, made)
    before = await store.messages.progress("acme", "m1")
    assert not await finish(store, made)
    assert not await store.calls.retry(made.key, ended(made, 5002), NOW, 26)
    assert not await store.calls.release(made.key, made.attempt.id)
    await store.calls.move(made.key, made.attempt.id, State.RINGING, NOW)
    assert await store.messages.progress("acme", "m1") == before
    assert await store.messages.attempts("acme", "m1") == [ended(made)]
    assert len(await store.reports.take("acme")) == 1
    assert await claim(store, NOW) == []


async def test_what_a_dead_process_had_still_to_say_does_not_touch_the_next_attempt(store: Store) -> None:
    first = await claimed(store)
    assert await store.calls.retry(first.key, ended(first, 5002), NOW, 26)
    await store.calls.move(first.key, first.attempt.id, State.IN_PROGRESS, NOW)
    (second,) = await claim(store, NOW)
    assert not await finish(store, first)
    assert not await store.calls.release(first.key, first.attempt.id)
    progress = await store.messages.progress("acme", "m1")
    assert progress is not None
    assert (progress.state, progress.attempts) == (State.DIALLING, 2)
    assert await finish(store, second)


async def test_a_claim_that_is_given_back_twice_is_given_back_once(store: Store) -> None:
    made = await claimed(store)
    recording = Recording("r1", made.attempt.id, "call", NOW)
    await store.recordings.begin("acme", made.key, recording)
    assert await store.calls.release(made.key, made.attempt.id)
    assert not await store.calls.release(made.key, made.attempt.id)
    (again,) = await claim(store, NOW)
    assert again.attempt.number == 1


async def test_the_attempts_of_a_node_that_is_gone_are_anybodys_when_their_calls_are_over(store: Store) -> None:
    await store.nodes.take("dead", "dead-1", NOW, NOW + 15 * SECOND)
    made = await claimed(store, node="dead")
    over = made.starts_at + 110 * SECOND + MINUTE
    assert await abandoned(store, over) == []
    assert await abandoned(store, over + SECOND) == [made]
    assert await store.nodes.renew("dead", "dead-1", over + MINUTE)
    assert await abandoned(store, over + SECOND) == []
    await store.nodes.leave("dead", "dead-1")
    assert await abandoned(store, over + SECOND) == [made]
    assert await finish(store, made)
    assert await abandoned(store, over + SECOND) == []


async def test_an_abandoned_attempt_is_settled_by_one_node_only(database_url: str) -> None:
    stores = [Store(database_url) for _ in range(4)]
    made = await claimed(stores[0], node="dead")
    later = NOW + timedelta(hours=1)
    found = await asyncio.gather(*(abandoned(store, later) for store in stores))
    assert found == [[made]] * 4
    assert sorted(await asyncio.gather(*(finish(store, made) for store in stores))) == [False, False, False, True]
    assert len(await stores[0].reports.take("acme")) == 1
    for store in stores:
        await store.close()


async def test_a_name_is_kept_from_another_machine_until_its_lease_is_over(database_url: str) -> None:
    here, there = Store(database_url, place="here"), Store(database_url, place="there")
    await here.nodes.take("name", "first", NOW, NOW + MINUTE)
    made = await claimed(here, node="name")
    with pytest.raises(NodeNameTaken, match="name"):
        await there.nodes.take("name", "second", NOW + SECOND, NOW + MINUTE)
    assert await here.nodes.renew("name", "first", NOW + MINUTE)
    await here.nodes.take("name", "restarted", NOW + SECOND, NOW + MINUTE)
    await there.nodes.take("name", "second", NOW + 2 * MINUTE, NOW + 3 * MINUTE)
    assert not await here.nodes.renew("name", "restarted", NOW + 3 * MINUTE)
    # What was begun elsewhere is that of a node that is gone: its Asterisk and its journal are not here.
    assert await there.calls.open_of("name") == []
    assert [found.claim.attempt for found in await here.calls.open_of("name")] == [made.attempt]
    later = NOW + timedelta(hours=1)
    assert [found.claim.attempt for found in await there.calls.abandoned("name", later, 10)] == [made.attempt]
    assert await here.calls.abandoned("name", later, 10) == []
    for store in (here, there):
        await store.close()


async def test_a_process_whose_name_was_taken_gets_no_more_work(database_url: str) -> None:
    old, new = Store(database_url), Store(database_url)
    await old.nodes.take("here", "old", NOW, NOW + MINUTE)
    assert await old.nodes.renew("here", "old", NOW + MINUTE)
    await new.nodes.take("here", "new", NOW, NOW + MINUTE)
    assert not await old.nodes.renew("here", "old", NOW + MINUTE)
    await old.nodes.leave("here", "old")
    order = Order(HELLO, [Destination("99900001", "m1")])
    await old.messages.accept(expand([order], account="acme", now=NOW, bulk_id="bulk"))
    refused = await ask(old, NOW)
    assert (refused.claims, refused.is_full, refused.next_turn) == ([], False, None)
    assert len(await claim(new, NOW)) == 1
    for store in (old, new):
        await store.close()


async def test_what_a_process_has_claimed_is_not_its_to_dial_once_its_name_was_taken(database_url: str) -> None:
    old, new = Store(database_url, place="old"), Store(database_url, place="new")
    await old.nodes.take("here", "old", NOW, NOW + MINUTE)
    first, second = await claimed(old, "m1"), await claimed(old, "m2")
    await finish(old, second)
    assert [await old.calls.is_ours(made.attempt) for made in (first, second)] == [True, False]
    await new.nodes.take("here", "new", NOW + 2 * MINUTE, NOW + 3 * MINUTE)
    assert not await old.calls.is_ours(first.attempt)
    assert await old.calls.release(first.key, first.attempt.id)
    assert [made.message.id for made in await claim(new, NOW + 2 * MINUTE)] == ["m1"]
    for store in (old, new):
        await store.close()


async def test_calls_under_way_of_a_canceled_bulk_are_known_to_their_node(store: Store) -> None:
    made = await claimed(store, "m1")
    await claimed(store, "m2")
    await claimed(store, "m3", node="elsewhere")
    await store.bulks.cancel("acme", "bulk-of-m1")
    await store.bulks.cancel("acme", "bulk-of-m3")
    assert await store.calls.canceled("here") == [made.attempt.id]
    assert await finish(store, made)
    assert await store.calls.canceled("here") == []


async def test_an_attempts_course_is_kept_with_its_end(store: Store) -> None:
    made = await claimed(store)
    whole = replace(ended(made), answered_at=NOW, sip_status=200, inputs=[Input(NOW, "1", "menu", ["yes"])])
    assert await store.calls.finish(made.key, whole, status_id=5, error_id=5000, done_at=NOW)
    assert await store.messages.attempts("acme", "m1") == [whole]

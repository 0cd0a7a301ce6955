"""The pace, the limit and the numbers of each trunk, kept over all nodes, on real databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import update

from bridge.messages.attempt import Leg
from bridge.messages.expansion import Destination, Order, expand
from bridge.messages.message import Content, Notify
from bridge.messages.progress import State
from bridge.messages.routes import Routes
from bridge.store import Claim, Store, TrunkLimit
from bridge.store.engine import open_engine
from bridge.store.tables import messages
from tests.claims import BOUNDLESS, ask
from tests.database_clock import DatabaseClock

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TEN_A_SECOND = TrunkLimit("trunk", calls_per_second=10, max_calls=1000)
TWO_AT_ONCE = TrunkLimit("trunk", calls_per_second=1000, max_calls=2)
HERE_AND_ABROAD = Routes([("385", "here"), ("385", "stand-in"), ("49", "abroad")])


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with opened(database_url) as store:
        yield store


@asynccontextmanager
async def opened(url: str, routes: Routes | None = None) -> AsyncIterator[Store]:
    store = Store(url) if routes is None else Store(url, routes)
    yield store
    await store.close()


async def accept(store: Store, *numbers: str, content: Content | None = None, bulk_id: str = "bulk") -> None:
    destinations = [Destination(number, f"{bulk_id}-{place}") for place, number in enumerate(numbers)]
    order = Order(content or Content(text="Hello"), destinations)
    await store.messages.accept(expand([order], account="acme", now=NOW, bulk_id=bulk_id))


async def finish(store: Store, claim: Claim) -> None:
    attempt = replace(claim.attempt, ended_at=NOW, status_id=5, error_id=5000)
    assert await store.calls.finish(claim.key, attempt, status_id=5, error_id=5000, done_at=NOW)


def starts(claims: Sequence[Claim]) -> list[timedelta]:
    return [claim.starts_at - NOW for claim in claims]


async def test_calls_start_at_the_trunks_pace_and_no_turn_is_saved_up(
    database_clock: DatabaseClock, store: Store
) -> None:
    database_clock.set(NOW)
    await accept(store, *["99900001"] * 30)
    first = await ask(store, NOW, limit_of=TEN_A_SECOND)
    assert starts(first.claims) == [n * SECOND / 10 for n in range(11)]
    assert [claim.attempt.dialled_at for claim in first.claims] == [claim.starts_at for claim in first.claims]
    nothing = await ask(store, NOW, limit_of=TEN_A_SECOND)
    assert nothing.claims == []
    assert first.next_turn == nothing.next_turn == NOW + 1.1 * SECOND - SECOND / 2
    much_later = NOW + 60 * SECOND
    database_clock.set(much_later)
    second = await ask(store, much_later, limit_of=TEN_A_SECOND)
    assert [claim.starts_at - much_later for claim in second.claims] == [n * SECOND / 10 for n in range(6)]


async def test_nodes_that_live_share_the_turns_and_keep_one_pace(
    database_clock: DatabaseClock, database_url: str
) -> None:
    async with opened(database_url) as one, opened(database_url) as other, opened(database_url) as gone:
        for node, store, seconds in (("one", one, 60), ("other", other, 60), ("gone", gone, -1)):
            await store.nodes.take(node, f"{node}-1", NOW, NOW + seconds * SECOND)
        await accept(one, *["99900001"] * 100)
        of_one, of_other = [], []
        for moment in range(200):
            now = NOW + moment * SECOND / 40
            database_clock.set(now)
            of_one += (await ask(one, now, node="one", limit_of=TEN_A_SECOND)).claims
            of_other += (await ask(other, now, node="other", limit_of=TEN_A_SECOND)).claims
    turns = sorted(starts(of_one + of_other))
    assert turns == [n * SECOND / 10 for n in range(len(turns))]
    assert len(turns) == 60
    assert 25 <= len(of_one) <= 35


async def test_many_nodes_at_once_never_take_the_same_turn_or_more_calls_than_the_trunk_has(
    database_clock: DatabaseClock, database_url: str
) -> None:
    database_clock.set(NOW)
    limit = TrunkLimit("trunk", calls_per_second=1000, max_calls=30)
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(opened(database_url)) for _ in range(4)]
        await accept(stores[0], *["99900001"] * 200)

        async def claim_often(store: Store) -> list[Claim]:
            claims: list[Claim] = []
            while not (answer := await ask(store, NOW, limit=1, limit_of=limit)).is_full:
                claims += answer.claims
            return claims + answer.claims

        claims = [claim for made in await asyncio.gather(*map(claim_often, stores)) for claim in made]
        full = await ask(stores[0], NOW, limit_of=limit)
    assert len({claim.key for claim in claims}) == len(claims) == 30
    assert all(later - earlier == SECOND / 1000 for earlier, later in pairwise(sorted(starts(claims))))
    assert (full.claims, full.is_full) == ([], True)


async def test_a_trunk_is_full_until_one_of_its_calls_is_over(store: Store) -> None:
    await accept(store, *["99900001"] * 4)
    taken = await ask(store, NOW, limit_of=TWO_AT_ONCE)
    assert (len(taken.claims), taken.is_full) == (2, True)
    assert (await ask(store, NOW, limit_of=TWO_AT_ONCE)).is_full
    await finish(store, taken.claims[0])
    again = await ask(store, NOW + SECOND, limit_of=TWO_AT_ONCE)
    assert (len(again.claims), again.is_full) == (1, True)


async def test_a_clock_that_was_wrong_does_not_silence_the_trunk(database_clock: DatabaseClock, store: Store) -> None:
    await accept(store, "99900001", "99900002")
    database_clock.set(NOW + timedelta(hours=1))
    assert (await ask(store, NOW + timedelta(hours=1), limit=1)).claims
    database_clock.set(NOW)
    nothing = await ask(store, NOW)
    assert nothing.next_turn is not None
    assert nothing.next_turn <= NOW + timedelta(minutes=1)


async def test_a_message_waits_for_the_trunk_that_its_number_leads_to(database_url: str) -> None:
    async with opened(database_url, HERE_AND_ABROAD) as store:
        await accept(store, "38591", "4930", "38598")
        abroad = await ask(store, NOW, of_trunk="abroad", limit_of=replace(BOUNDLESS, name="abroad"))
        assert [claim.message.to for claim in abroad.claims] == ["4930"]
        stood_in = await ask(store, NOW, of_trunk="here", limit_of=replace(BOUNDLESS, name="stand-in"))
        assert [claim.message.to for claim in stood_in.claims] == ["38591", "38598"]
        assert {claim.attempt.trunk for claim in stood_in.claims} == {"stand-in"}


async def test_a_number_that_no_trunk_leads_to_is_rejected_with_one_report(database_url: str) -> None:
    async with opened(database_url, HERE_AND_ABROAD) as store:
        await accept(store, "1202", "38591")
        (report,) = await store.reports.take("acme")
        assert (report.message.to, report.status_id, report.error_id, report.attempt) == ("1202", 16, 5503, None)
        notify = Content(text="Hello", notify=Notify("https://example.com/"))
        await accept(store, "1203", content=notify, bulk_id="pushed")
        assert await store.reports.take("acme") == []
        lease = {"now": NOW + SECOND, "until": NOW + 60 * SECOND}
        (push,) = await store.outbox.claim(**lease, busy={}, most_at_once=5, limit=5)
        assert push.report.status_id == 16


async def test_waiting_messages_follow_the_routes_when_these_change(database_url: str) -> None:
    async with opened(database_url, HERE_AND_ABROAD) as store:
        await store.messages.reroute()
        await accept(store, "38591", "4930")
        assert await store.messages.reroute() == 0
    async with opened(database_url, Routes([("385", "new"), ("38", "other")])) as store:
        assert await store.messages.reroute() == 2
        moved = await ask(store, NOW, of_trunk="new", limit_of=replace(BOUNDLESS, name="new"))
        assert [claim.message.to for claim in moved.claims] == ["38591"]
        (report,) = await store.reports.take("acme")
        assert (report.message.to, report.status_id) == ("4930", 16)
        assert await store.messages.reroute() == 0


async def test_as_many_messages_as_there_are_follow_the_routes(database_url: str) -> None:
    """They are moved in portions; keys that are far from each other are in different ones."""
    async with opened(database_url, Routes([("", "old")])) as store:
        await accept(store, "38591")
        engine = open_engine(database_url)
        with engine.begin() as connection:
            connection.execute(update(messages).values(key=messages.c.key + 70_000))
        engine.dispose()
        await accept(store, "38592", bulk_id="later")
    async with opened(database_url, Routes([("", "new")])) as store:
        assert await store.messages.reroute() == 2


async def test_what_a_node_with_the_former_routes_took_in_follows_when_that_restarts(database_url: str) -> None:
    """The first node has its new routes already, the second one goes on with the old ones for a while."""
    former, new = Routes([("", "old")]), Routes([("", "new")])
    async with opened(database_url, new) as first, opened(database_url, former) as second:
        await first.messages.reroute()
        await accept(second, "38591")
    async with opened(database_url, new) as second:
        assert await second.messages.reroute() == 1
        assert (await ask(second, NOW, of_trunk="new", limit_of=replace(BOUNDLESS, name="new"))).claims


async def test_a_message_under_way_is_called_again_by_the_new_route(database_url: str) -> None:
    async with opened(database_url, HERE_AND_ABROAD) as store:
        await store.messages.reroute()
        await accept(store, "38591")
        (claim,) = (await ask(store, NOW, of_trunk="here", limit_of=replace(BOUNDLESS, name="here"))).claims
    async with opened(database_url, Routes([("", "new")])) as store:
        assert await store.messages.reroute() == 1
        busy = replace(claim.attempt, ended_at=NOW, status_id=15, error_id=5002)
        assert await store.calls.retry(claim.key, busy, NOW, 26)
        assert (await ask(store, NOW, of_trunk="new", limit_of=replace(BOUNDLESS, name="new"))).claims


# Legs


async def test_an_attempt_goes_on_by_another_trunk_as_the_same_attempt(
    database_clock: DatabaseClock, store: Store
) -> None:
    database_clock.set(NOW)
    await accept(store, "38591", content=Content(text="Hello", ring_timeout=20, call_timeout=60))
    (claim,) = (await ask(store, NOW)).claims
    leg = Leg("trunk", NOW, NOW + SECOND, 38, 503)
    other = TrunkLimit("other", calls_per_second=0.5, max_calls=5)
    database_clock.set(NOW + 2 * SECOND)
    gone_on = await store.calls.next_leg(claim, leg, other, lambda: NOW + 2 * SECOND)
    assert gone_on is not None
    assert gone_on.attempt == replace(claim.attempt, trunk="other", dialled_at=gone_on.starts_at, refused=[leg])
    assert gone_on.attempt.channel_id != claim.attempt.channel_id
    assert gone_on.starts_at == NOW + 2 * SECOND
    (kept,) = await store.calls.open_of("here")
    assert kept.claim == gone_on
    assert kept.ends_by == gone_on.starts_at + (20 + 60 + 30) * SECOND
    assert (await ask(store, NOW + 2 * SECOND, of_trunk="other", limit_of=other)).next_turn == NOW + 3.5 * SECOND
    await finish(store, gone_on)
    assert [attempt.refused for attempt in await store.messages.attempts("acme", "bulk-0")] == [[leg]]


async def test_a_leg_that_is_asked_for_twice_is_one_leg(store: Store) -> None:
    await accept(store, "38591")
    (claim,) = (await ask(store, NOW)).claims
    leg, other = Leg("trunk", NOW, NOW, 38), TrunkLimit("other", calls_per_second=1000, max_calls=1)
    for _ in range(2):
        gone_on = await store.calls.next_leg(claim, leg, other, lambda: NOW)
        assert gone_on is not None
        assert gone_on.attempt.refused == [leg]


async def test_no_leg_follows_on_a_full_trunk_or_when_the_attempt_is_over(store: Store) -> None:
    await accept(store, "38591", "38592")
    first, second = (await ask(store, NOW)).claims
    leg, other = Leg("trunk", NOW, NOW, 38), TrunkLimit("other", calls_per_second=1000, max_calls=1)
    assert await store.calls.next_leg(first, leg, other, lambda: NOW) is not None
    assert await store.calls.next_leg(second, leg, other, lambda: NOW) is None
    await finish(store, second)
    assert await store.calls.next_leg(second, leg, replace(other, max_calls=2), lambda: NOW) is None
    progress = await store.messages.progress("acme", "bulk-1")
    assert progress is not None
    assert progress.state is State.DONE

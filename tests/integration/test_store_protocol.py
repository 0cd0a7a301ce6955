"""Whatever happens to messages, nodes and answers, in whatever order: nobody is called twice, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select

from bridge.messages.attempt import Leg
from bridge.messages.bulks import BulkStatus
from bridge.messages.message import Bulk, Content, Message, Notify, Retry
from bridge.messages.progress import WAITING, State
from bridge.messages.retry import next_attempt
from bridge.store import BulkOver, Claim, Store, TrunkLimit
from bridge.store.tables import attempts, bulks, contents, messages, nodes, outbox, reports, trunks
from tests.database_clock import DatabaseClock

_T = TypeVar("_T")

ACCOUNT = "acme"
LIMIT = TrunkLimit("trunk", calls_per_second=10, max_calls=2)
NEVER_OF_BULK: dict[str | None, Sequence[State]] = {
    None: [State.PAUSED],
    BulkStatus.PAUSED: [State.QUEUED],
    BulkStatus.CANCELED: WAITING,
}
BUSY, UNKNOWN = (15, 5002), (22, 5500)
MINUTE = timedelta(minutes=1)
VALIDITY = timedelta(hours=6)
LEASE = timedelta(seconds=15)

either = st.integers(0, 1)
some_claim = st.integers(0, 5)
often = st.integers(1, 2)


@dataclass(frozen=True)
class Node:
    """A daemon: a store of its own on the database of all."""

    store: Store
    name: str
    instance: str


class Protocol(RuleBasedStateMachine):
    """Two nodes on one trunk. ``stores`` are two for each: a process, and the one that takes its name from it."""

    runner: ClassVar[asyncio.Runner]
    stores: ClassVar[Sequence[Store]]
    clock: ClassVar[DatabaseClock]

    def __init__(self) -> None:
        super().__init__()
        self.idle = {"a": self.stores[0:2], "b": self.stores[2:4]}
        self.now = datetime.now(UTC)
        self.instances = count(1)
        self.nodes: list[Node] = []
        self.bulks: list[str] = []
        self.policies: dict[str, Retry | None] = {}
        self.claims: list[Claim] = []
        self.turns: list[datetime] = []
        self.final: dict[str, tuple[int, int]] = {}

    def run(self, work: Awaitable[_T]) -> _T:
        async def wait() -> _T:
            return await work

        return self.runner.run(wait())

    @initialize()
    def start(self) -> None:
        self.forget_the_example_before()
        self.nodes += [self.started("a"), self.started("b")]
        self.accept(4, Retry(min_period=1, max_period=5, max_count=2), notify=False)

    def forget_the_example_before(self) -> None:
        with self.idle["a"][0]._database.engine.begin() as connection:
            for table in (outbox, reports, attempts, messages, contents, bulks, nodes, trunks):
                connection.execute(delete(table))

    def started(self, name: str) -> Node:
        store, *others = self.idle[name]
        self.idle[name] = [*others, store]
        node = Node(store, name, f"instance-{next(self.instances)}")
        self.run(node.store.nodes.take(node.name, node.instance, self.now, self.now + LEASE))
        return node

    # What the account does

    @rule(
        size=st.integers(1, 3),
        policy=st.none() | st.builds(Retry, min_period=st.just(1), max_period=st.just(5), max_count=st.integers(1, 2)),
        notify=st.booleans(),
    )
    def accept(self, size: int, policy: Retry | None, notify: bool) -> None:
        content = Content(text="Hello", retry=policy, notify=Notify("https://example.com/") if notify else None)
        self.bulks.append(f"bulk-{len(self.bulks)}")
        ids = [f"m{len(self.policies) + n}" for n in range(size)]
        made = [Message(id_, "38591", None, content, self.now, self.now + VALIDITY) for id_ in ids]
        self.policies |= dict.fromkeys(ids, policy)
        self.run(self.nodes[0].store.messages.accept(Bulk(self.bulks[-1], ACCOUNT, self.now, made)))

    @precondition(lambda self: self.bulks)
    @rule(which=some_claim, decision=st.sampled_from(["pause", "cancel", "resume"]), at=either)
    def decide(self, which: int, decision: str, at: int) -> None:
        with suppress(BulkOver):
            self.run(getattr(self.nodes[at].store.bulks, decision)(ACCOUNT, self.bulks[which % len(self.bulks)]))

    # What time and trouble do

    @rule(minutes=st.sampled_from([1, 2, 20]))
    def pass_time(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(trouble=st.sampled_from(["renew", "supersede", "outlive", "settle_abandoned"]), at=either)
    def trouble(self, trouble: str, at: int) -> None:
        getattr(self, trouble)(self.nodes[at])

    def renew(self, node: Node) -> None:
        assert self.run(node.store.nodes.renew(node.name, node.instance, self.now + LEASE))

    def supersede(self, old: Node) -> None:
        """A process that was thought dead goes on beside the one that took its name: it gets nothing more."""
        self.nodes[self.nodes.index(old)] = self.started(old.name)
        assert not self.run(old.store.nodes.renew(old.name, old.instance, self.now + LEASE))
        assert self.claim(old) == []
        for claim in self.claims:
            if claim.attempt.node == old.name:
                assert self.go_on(old.store, claim) is None

    def outlive(self, node: Node) -> None:
        self.now += VALIDITY / 4
        self.expire(node)

    def expire(self, node: Node) -> None:
        self.run(node.store.messages.expire(now=self.now, status_id=15, error_id=5408, limit=10))

    def settle_abandoned(self, node: Node) -> None:
        for abandoned in self.run(node.store.calls.abandoned("a third node", self.now, 100)):
            assert abandoned.ends_by < self.now
            assert self.settle(node.store, abandoned.claim, UNKNOWN)

    # What nodes do; answers get lost, and what was said is said again

    @rule(at=either, limit=st.integers(1, 3), is_lost=st.booleans())
    def claim_due(self, at: int, limit: int, is_lost: bool) -> None:
        self.now += timedelta(seconds=0.3)
        claims = self.claim(self.nodes[at], limit)
        if not is_lost:
            self.claims += claims

    @rule(at=either)
    def claim_in_turns(self, at: int) -> None:
        for place in (at, 1 - at, at):
            self.claim_due(place, 1, is_lost=False)

    @precondition(lambda self: self.claims)
    @rule(which=some_claim, state=st.sampled_from([State.RINGING, State.IN_PROGRESS]), times=often)
    def move(self, which: int, state: State, times: int) -> None:
        claim, store = self.chosen(which)
        self.run(at_once(store, [store.calls.move(claim.key, claim.attempt.id, state, self.now) for _ in range(times)]))

    @precondition(lambda self: self.claims)
    @rule(which=some_claim)
    def note_happened(self, which: int) -> None:
        claim, store = self.chosen(which)
        told = store.calls.note_happened(claim.attempt.id, [["key", "1"]], self.now + 15 * MINUTE)
        self.run(at_once(store, [told]))

    @precondition(lambda self: self.claims)
    @rule(which=some_claim)
    def next_leg(self, which: int) -> None:
        claim, store = self.chosen(which)
        gone_on = self.go_on(store, claim)
        if gone_on is not None:
            assert gone_on.attempt.channel_id != claim.attempt.channel_id
            assert any(claim.attempt.id in row["live"] for row in self.rows())
            self.turns.append(gone_on.starts_at)
            self.claims.append(gone_on)

    @precondition(lambda self: self.claims)
    @rule(which=some_claim, times=often)
    def release(self, which: int, times: int) -> None:
        claim, store = self.chosen(which)
        self.once([self.run(store.calls.release(claim.key, claim.attempt.id)) for _ in range(times)])

    @precondition(lambda self: self.claims)
    @rule(which=some_claim, outcome=st.sampled_from([(5, 5000), BUSY]), times=often)
    def settle_claim(self, which: int, outcome: tuple[int, int], times: int) -> None:
        claim, store = self.chosen(which)
        self.once([self.settle(store, claim, outcome) for _ in range(times)])

    # What holds at every moment

    @invariant()
    def nobody_is_called_twice_and_nothing_is_lost(self) -> None:
        known = self.rows()
        assert {row["id"] for row in known} == set(self.policies)
        open_calls = 0
        for row in known:
            made, live, reported = row["made"], row["live"], row["reported"]
            open_calls += len(live)
            policy = self.policies[row["id"]]
            assert len(live) <= 1
            assert len(made) == row["attempts"] <= 1 + (policy.max_count if policy else 0)
            if row["state"] == State.DONE:
                assert (reported, live) == (1, [])
                ended = (row["status_id"], row["error_id"])
                assert self.final.setdefault(row["id"], ended) == ended
            else:
                assert reported == 0
                assert bool(live) == (row["state"] not in WAITING)
                assert row["state"] not in NEVER_OF_BULK[row["held"]]
        assert open_calls <= LIMIT.max_calls
        for turn, following in pairwise(self.turns):
            assert following - turn >= LIMIT.interval

    def teardown(self) -> None:
        """In the end every message is done, and each report was handed out or pushed once."""
        if not self.nodes:
            return
        over_at = self.now + 2 * VALIDITY
        while any(row["state"] != State.DONE for row in self.rows()):
            assert self.now < over_at, "a message is never done"
            self.now += 20 * MINUTE
            self.settle_abandoned(self.nodes[0])
            for bulk in self.bulks:
                self.decide(self.bulks.index(bulk), "resume", 0)
            self.expire(self.nodes[0])
            for claim in self.claim(self.nodes[1]):
                assert self.settle(self.nodes[1].store, claim, BUSY)
        self.nobody_is_called_twice_and_nothing_is_lost()
        taken = self.run(self.nodes[0].store.reports.take(ACCOUNT, limit=10_000))
        handed_out = Counter(report.message.id for report in taken)
        handed_out.update(row["id"] for row in self.rows() if row["pushed"])
        assert handed_out == dict.fromkeys(self.policies, 1)

    # Ways to do it

    def claim(self, node: Node, limit: int = 3) -> list[Claim]:
        self.clock.set(self.now)
        answer = self.run(
            node.store.calls.claim_due(
                node=node.name,
                asterisk="127.0.0.1:5038",
                of_trunk=LIMIT.name,
                limit_of=LIMIT,
                clock=lambda: self.now,
                ahead=timedelta(seconds=1),
                limit=limit,
            )
        )
        self.turns += [claim.starts_at for claim in answer.claims]
        return answer.claims

    def go_on(self, store: Store, claim: Claim) -> Claim | None:
        self.clock.set(self.now)
        return self.run(store.calls.next_leg(claim, self.leg(claim), LIMIT, lambda: self.now))

    def chosen(self, which: int) -> tuple[Claim, Store]:
        """A claim that was made at some time, and the store of its node; the latest is the likeliest."""
        claim = self.claims[-1 - which % len(self.claims)]
        return claim, next(node.store for node in self.nodes if node.name == claim.attempt.node)

    def leg(self, claim: Claim) -> Leg:
        return Leg(claim.attempt.trunk, claim.starts_at, self.now, 38, 503)

    def settle(self, store: Store, claim: Claim, outcome: tuple[int, int]) -> bool:
        """As the dialer does: the policy may have the message called again."""
        status_id, error_id = outcome
        ended = replace(claim.attempt, ended_at=self.now, status_id=status_id, error_id=error_id)
        again = next_attempt(claim.message.content.retry, ended.number, self.now)
        if status_id == 5 or again is None or again >= claim.message.expires_at:
            work = store.calls.finish(claim.key, ended, status_id=status_id, error_id=error_id, done_at=self.now)
        else:
            work = store.calls.retry(claim.key, ended, again, 26)
        return self.run(work)

    def once(self, answers: list[bool]) -> None:
        assert answers[1:] == [False] * (len(answers) - 1), "it was said twice, and done twice"

    def rows(self) -> list[dict[str, Any]]:
        """The messages as the database has them, each with its attempts and its report."""
        with self.nodes[0].store._database.engine.connect() as connection:
            found = {
                row["key"]: {**row, "made": [], "live": [], "reported": 0, "pushed": 0}
                for row in connection.execute(select(messages, bulks.c.held).join(bulks)).mappings()
            }
            for attempt in connection.execute(select(attempts)).mappings():
                found[attempt["message_key"]]["made"].append(attempt["number"])
                if attempt["ended_at"] is None:
                    found[attempt["message_key"]]["live"].append(attempt["id"])
                else:
                    assert attempt["happened"] is None
            for table, sort in ((reports, "reported"), (outbox, "pushed")):
                for key in connection.execute(select(table.c.message_key)).scalars():
                    found[key][sort] += 1
            return list(found.values())


async def at_once(store: Store, work: Sequence[Awaitable[None]]) -> None:
    """Do work that may wait a moment together with some that may not."""
    await asyncio.gather(*work, store.nodes.leave("nobody", "none"))


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def stores(runner: asyncio.Runner, database_clock: DatabaseClock, database_url: str) -> Iterator[list[Store]]:
    stores = [Store(database_url) for _ in range(4)]
    yield stores
    for store in stores:
        runner.run(store.close())


def test_nobody_is_called_twice_and_nothing_is_lost_in_any_order(
    runner: asyncio.Runner, database_clock: DatabaseClock, stores: list[Store]
) -> None:
    Protocol.runner, Protocol.clock, Protocol.stores = runner, database_clock, stores
    run_state_machine_as_test(
        Protocol,
        settings=settings(max_examples=25, stateful_step_count=40),
    )

"""The store as the other rooms see it: one transaction a method, run off the event loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.messages.attempt import Attempt, Leg
from bridge.messages.message import Bulk
from bridge.messages.progress import Progress, Report, State
from bridge.messages.routes import Routes
from bridge.store import (
    bulks,
    endings,
    intake,
    logs,
    lookups,
    nodes,
    orphans,
    outbox,
    outcomes,
    restored,
    retention,
    routing,
    scenarios,
    work,
)
from bridge.store.bulks import BulkStanding
from bridge.store.database import Database
from bridge.store.errors import StoreFailed
from bridge.store.library import Library
from bridge.store.logs import LogFilter
from bridge.store.migrations import migrate, refuse_other_schema
from bridge.store.orphans import OpenAttempt
from bridge.store.outbox import Push
from bridge.store.trunks import TrunkLimit
from bridge.store.wakeups import Topic
from bridge.store.work import Claim, Claims
from bridge.telephony.formats import Formats

_ONE_TRUNK = Routes([("", "trunk")])
_PLAIN_DIGITS = Formats()


class Store(Library):
    """Messages, attempts and reports in one database.

    ``url`` is a SQLAlchemy URL, ``sqlite:////var/lib/voicebridge/voicebridge.db``. Opening it brings the schema up to
    date, or, unless it ``migrates``, refuses one that is not: raises SchemaUnknown, SchemaOld. Every method raises
    StoreFailed when the database cannot do it; what a method changed is committed when it returns. ``formats`` says
    what trunks are sent; ``place`` tells the machine from others that nodes of the same name were on.
    """

    def __init__(
        self,
        url: str,
        routes: Routes = _ONE_TRUNK,
        *,
        formats: Formats = _PLAIN_DIGITS,
        place: str = "",
        migrates: bool = True,
    ) -> None:
        self._routes = routes
        self._formats = formats
        self._place = place
        self._instances: dict[str, str] = {}
        super().__init__(Database(url))
        try:
            if migrates:
                migrate(self._database.engine)
            else:
                refuse_other_schema(self._database.engine)
        except BaseException:
            self._database.close_now()
            raise

    async def hear(self) -> None:
        """Hear of what other nodes commit, until cancelled; returns at once where there are none."""
        await self._database.listen()

    async def close(self) -> None:
        await self._database.close()

    async def check(self) -> None:
        """Ask the database for a sign of life. Raises StoreFailed also when it refused to keep something of late."""
        await self._database.read(lookups.sign_of_life)
        if refusal := self._database.refusal:
            raise StoreFailed(refusal)

    def subscribe(self, topic: Topic, callback: Callable[[], None]) -> None:
        """Have ``callback`` called on the event loop after a commit, by any node, that may give such work."""
        self._database.wakeups.subscribe(topic, callback)

    # Intake

    async def accept(self, bulk: Bulk) -> None:
        """Keep a bulk, to be called. Raises DuplicateId; then nothing of it is kept."""
        await self._database.write(intake.accept, bulk, self._routes)

    async def launch(self, bulk: Bulk) -> None:
        """Keep a bulk of IVR messages as ``accept`` does, and note that their scenarios are in use."""
        await self._database.write(scenarios.launch, bulk, self._routes)

    # The front desk

    async def progress(self, account: str, message_id: str) -> Progress | None:
        """One message as it stands now."""
        return await self._database.read(lookups.progress, account, message_id)

    async def bulk_counts(self, account: str, bulk_id: str) -> dict[State, int] | None:
        """How many messages of a bulk are in each state; None for an unknown bulk."""
        return await self._database.read(lookups.bulk_counts, account, bulk_id)

    async def only_message(self, account: str, bulk_id: str) -> str | None:
        """The id of a bulk's message when it has just one."""
        return await self._database.read(lookups.only_message_of, account, bulk_id)

    async def attempts(self, account: str, message_id: str) -> list[Attempt]:
        """The attempts of a message, the first one first."""
        return await self._database.read(lookups.attempts_of, account, message_id)

    async def take_reports(
        self, account: str, *, bulk_id: str | None = None, message_id: str | None = None, limit: int = 50
    ) -> list[Report]:
        """Reports that were not handed out yet, the oldest first. Each is handed out once."""
        return await self._database.write(
            lookups.take_reports,
            account,
            bulk_id=bulk_id,
            message_id=message_id,
            limit=limit,
            now=datetime.now(UTC),
        )

    async def logs(self, account: str, wanted: LogFilter, limit: int) -> list[tuple[Progress, Attempt | None]]:
        """Messages that were sent, with their latest attempts, those sent last in front."""
        return await self._database.read(logs.sent, account, wanted, limit)

    # Bulks. None is for an unknown bulk; what changes one raises BulkOver.

    async def bulk(self, account: str, bulk_id: str) -> BulkStanding | None:
        """Where a bulk stands."""
        return await self._database.read(bulks.standing, account, bulk_id)

    async def pause_bulk(self, account: str, bulk_id: str) -> BulkStanding | None:
        """Have nothing more of a bulk dialled until it is resumed; its validity goes on."""
        return await self._database.write(bulks.pause, account, bulk_id)

    async def resume_bulk(self, account: str, bulk_id: str) -> BulkStanding | None:
        """Have a paused bulk dialled again."""
        return await self._database.write(bulks.resume, account, bulk_id)

    async def cancel_bulk(self, account: str, bulk_id: str) -> BulkStanding | None:
        """End what waits of a bulk, and have what is under way hung up."""
        return await self._database.write(bulks.cancel, account, bulk_id, datetime.now(UTC))

    async def reschedule_bulk(self, account: str, bulk_id: str, send_at: datetime) -> BulkStanding | None:
        """Have the first of a bulk's waiting calls made at ``send_at``, the others and all validities as much later."""
        return await self._database.write(bulks.reschedule, account, bulk_id, send_at)

    # The dialer

    async def claim_due(
        self,
        *,
        node: str,
        asterisk: str,
        of_trunk: str,
        limit_of: TrunkLimit,
        clock: Callable[[], datetime],
        ahead: timedelta,
        limit: int,
    ) -> Claims:
        """Messages for ``of_trunk`` to call within ``ahead``, each with an attempt on ``limit_of`` that is committed.

        A node has its share of the trunk's turns; one that was superseded gets nothing. ``clock`` is the node's, in
        UTC: what is due is due by it.
        """
        return await self._database.write(
            work.claim_due,
            node=node,
            instance=self._instances.get(node),
            place=self._place,
            asterisk=asterisk,
            of_trunk=of_trunk,
            limit_of=limit_of,
            formats=self._formats,
            clock=clock,
            ahead=ahead,
            limit=limit,
        )

    async def next_leg(
        self, claim: Claim, leg: Leg, limit_of: TrunkLimit, clock: Callable[[], datetime]
    ) -> Claim | None:
        """Have an attempt go on by another trunk after ``leg``; None when it is over, or that trunk is full."""
        instance = self._instances.get(claim.attempt.node)
        return await self._database.write(
            work.next_leg, claim, leg, limit_of, formats=self._formats, clock=clock, instance=instance
        )

    async def move(self, key: int, attempt_id: str, state: State, at: datetime) -> None:
        """Note how far a live call has come (ringing, in progress), and when."""
        await self._database.write_soon(outcomes.move, key, attempt_id, state, at)

    async def note_happened(self, attempt_id: str, happened: list[Any], ends_by: datetime) -> None:
        """Note all that the script of a live call was told so far (JSON values), and when the call is over at last."""
        await self._database.write_soon(outcomes.note_happened, attempt_id, happened, ends_by)

    # These change nothing, and return False, when the attempt has ended already or is gone.

    async def release(self, key: int, attempt_id: str) -> bool:
        """Give a claim back: nothing of its attempt has reached Asterisk."""
        return await self._database.write(outcomes.release, key, attempt_id, datetime.now(UTC))

    async def call_again(self, key: int, attempt: Attempt, due_at: datetime, status_id: int) -> bool:
        """Keep the outcome of an attempt; its message waits for another one."""
        return await self._database.write(outcomes.call_again, key, attempt, due_at, status_id, now=datetime.now(UTC))

    async def finish(self, key: int, attempt: Attempt, *, status_id: int, error_id: int, done_at: datetime) -> bool:
        """Keep the outcome of the last attempt, the message's final status and its report."""
        return await self._database.write(
            outcomes.finish, key, attempt, status_id=status_id, error_id=error_id, done_at=done_at
        )

    async def expire(self, *, now: datetime, status_id: int, error_id: int, limit: int) -> int:
        """End waiting messages whose validity is over; return how many."""
        return await self._database.write(endings.expire, now=now, status_id=status_id, error_id=error_id, limit=limit)

    async def is_ours(self, attempt: Attempt) -> bool:
        """Whether the node's name is still had here, and nobody has settled the attempt or given it back."""
        return await self._database.read(orphans.is_ours, attempt.id, self._instances.get(attempt.node))

    async def open_attempts(self, node: str) -> list[OpenAttempt]:
        """The attempts that a node began at this place and whose end it has not recorded."""
        return await self._database.read(orphans.open_attempts, node, self._place)

    async def abandoned_attempts(self, node: str, now: datetime, limit: int) -> list[OpenAttempt]:
        """Open attempts of other nodes that are gone, whose calls are over by now: any node settles them.

        A node that was at another place under the same name is another one.
        """
        return await self._database.read(orphans.abandoned_attempts, node, self._place, now, limit)

    async def canceled_attempts(self, node: str) -> list[str]:
        """The ids of a node's open attempts whose bulk was canceled."""
        return await self._database.read(orphans.canceled_attempts, node)

    # Nodes. ``instance`` tells the processes apart that had a node's name one after the other.

    async def take_node(self, node: str, instance: str, now: datetime, until: datetime) -> None:
        """Have a node's name until a moment; whoever had it before is superseded.

        Raises NodeNameTaken while it was had until later at another place.
        """
        await self._database.write(nodes.take, node, instance=instance, place=self._place, now=now, until=until)
        self._instances[node] = instance

    async def renew_node(self, node: str, instance: str, now: datetime, until: datetime) -> bool:
        """Have the name longer; False when another instance has taken it."""
        return await self._database.write(nodes.renew, node, instance, until)

    async def leave_node(self, node: str, instance: str) -> None:
        """Give the name back."""
        await self._database.write(nodes.leave, node, instance)

    async def reroute(self) -> int:
        """Give waiting messages their trunks anew if the routes differ from those last used; return how many changed.

        Those that no trunk leads to any more are rejected.
        """
        moved = 0
        for first_key in await self._database.read(routing.keys_to_reroute, self._routes):
            moved += await self._database.write(routing.reroute, self._routes, first_key, datetime.now(UTC))
        await self._database.write(routing.keep, self._routes)
        return moved

    # After a restore

    async def all_open_attempts(self) -> list[OpenAttempt]:
        """The attempts whose end no node has recorded."""
        return await self._database.read(orphans.all_open_attempts)

    async def end_all(self, *, status_id: int, error_id: int, now: datetime, limit: int) -> int:
        """End messages that are not done and have no open attempt; return how many."""
        return await self._database.write(
            restored.end_all, status_id=status_id, error_id=error_id, now=now, limit=limit
        )

    # Retention

    async def remove_messages(self, *, done_before: datetime, limit: int) -> int:
        """Forget messages that ended before a moment, with all that belongs to them; return how many.

        Those with a recording that is not deleted stay. Zero also while another node is at it.
        """
        return await self._database.write(retention.remove_messages, done_before, limit)

    # Push

    async def claim_pushes(
        self, *, now: datetime, until: datetime, busy: Mapping[str, int], most_at_once: int, limit: int
    ) -> list[Push]:
        """Lease up to ``limit`` reports that are to be pushed now, at most ``most_at_once`` for a server.

        ``busy`` is how many of these each server has already.
        """
        return await self._database.write(
            outbox.claim, now=now, until=until, busy=busy, most_at_once=most_at_once, limit=limit
        )

    async def push_delivered(self, push: Push, now: datetime) -> None:
        """The receiver has it."""
        await self._database.write(outbox.delivered, push, now)

    async def push_again(self, push: Push, due_at: datetime, problem: str) -> None:
        """It failed, and is tried again at ``due_at``."""
        await self._database.write(outbox.push_again, push, due_at, problem)

    async def give_up_push(self, push: Push, now: datetime, problem: str) -> None:
        """It failed for the last time."""
        await self._database.write(outbox.give_up, push, now, problem)

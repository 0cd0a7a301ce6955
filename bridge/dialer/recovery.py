"""Recovery: finds attempts that no process follows, and adopts, settles or releases them; it never dials again."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

import structlog

from bridge.base.tasks import Background, Supervisor
from bridge.calls.orphans import Adopt, Evidence, Release, Settle, Wait, decide, lost
from bridge.calls.runner import AttemptRunner
from bridge.dialer.rounds import Rounds
from bridge.store import OpenAttempt, Store, StoreFailed
from bridge.telephony.errors import ExchangeError, JournalUnreadable
from bridge.telephony.events import Origination
from bridge.telephony.exchange import GONE_FOR_GOOD, Channel, Exchange, ExchangeJournal
from bridge.telephony.records import Record

_log = structlog.get_logger(__name__)

_EVERY_SECONDS = 5.0
_SOON_SECONDS = 0.5
_YOUNGEST = timedelta(seconds=2)
_GRACE = timedelta(seconds=60)
_ABANDONED_AT_ONCE = 100


class Recovery:
    """Looks for orphans from ``start`` to ``stop``: those of the node's former processes and of nodes that are gone.

    A commit whose answer got lost leaves orphans too, of a process that goes on.
    """

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Mapping[str, Exchange],
        journal: ExchangeJournal,
        runner: AttemptRunner,
        node: str,
        supervisor: Supervisor,
    ) -> None:
        self._store = store
        self._exchanges = exchanges
        self._journal = journal
        self._runner = runner
        self._node = node
        self._rounds = Rounds(supervisor.part("recovery"), self.look)
        self._taken_up = Background("attempt_not_settled")

    def start(self) -> None:
        self._rounds.start()

    async def stop(self) -> None:
        """Take up nothing more; what was taken up goes on."""
        await self._rounds.stop()

    async def look(self) -> float:
        """Look once; return after how many seconds to look again. Raises StoreFailed.

        An error over the orphans of one Asterisk is raised after those of all others are seen to.
        """
        now = datetime.now(UTC)
        ours = frozenset(self._runner.under_way)  # also those that end while the store is asked
        by_asterisk: dict[str, list[OpenAttempt]] = defaultdict(list)
        for found in await self._store.calls.open_of(self._node):
            if found.claim.attempt.id not in ours and self._is_orphan(found, now):
                by_asterisk[found.claim.attempt.asterisk].append(found)
        recovering = (self._recover(name, orphans) for name, orphans in by_asterisk.items())
        waiting = await asyncio.gather(*recovering, return_exceptions=True)
        for found in await self._store.calls.abandoned(self._node, now, _ABANDONED_AT_ONCE):
            if self._is_orphan(found, now):
                self._taken_up.begin(self._runner.settle_orphan(found, lost(now)))
        for some_wait in waiting:
            if isinstance(some_wait, BaseException):
                raise some_wait
        return _SOON_SECONDS if any(waiting) else _EVERY_SECONDS

    def _is_orphan(self, found: OpenAttempt, now: datetime) -> bool:
        claim = found.claim
        return claim.attempt.id not in self._runner.under_way and now - claim.starts_at > _YOUNGEST

    async def _recover(self, asterisk: str, orphans: list[OpenAttempt]) -> bool:
        """Adopt, settle or release the orphans of one Asterisk; return whether some must wait.

        Their channels are looked for before the journal is read: a call that ends in between is in the journal by then.
        """
        oldest = min(found.claim.starts_at for found in orphans)
        calls = await self._calls(asterisk, orphans, oldest)
        records, is_kept = await self._journaled(asterisk, orphans, oldest)
        now, some_wait = datetime.now(UTC), False
        for found in orphans:
            attempt = found.claim.attempt
            if attempt.id in self._runner.under_way:
                continue
            call, record = (calls or {}).get(attempt.channel_id), records.get(attempt.channel_id)
            has_channel = None if calls is None else call is not None
            match decide(_evidence(found, now, has_channel, record, is_kept)):
                case Adopt():
                    assert call is not None
                    self._taken_up.begin(self._runner.adopt(found, call))
                case Settle(ended):
                    self._taken_up.begin(
                        self._runner.settle_orphan(found, ended, record.answered_at if record else None)
                    )
                case Release():
                    self._taken_up.begin(self._runner.release_orphan(found.claim))
                case Wait():
                    some_wait = True
        return some_wait

    async def _calls(
        self, asterisk: str, orphans: Collection[OpenAttempt], oldest: datetime
    ) -> Mapping[str, Channel] | None:
        """The live channels of the orphans, by channel id; None when their Asterisk does not say."""
        exchange = self._exchanges.get(asterisk)
        if exchange is None or not exchange.connected:
            return None
        try:
            return await exchange.adopt(await self._originations(orphans), oldest)
        except ExchangeError as error:
            _log.warning("orphans_not_looked_for", asterisk=asterisk, orphans=len(orphans), reason=error)
            return None

    async def _originations(self, orphans: Collection[OpenAttempt]) -> list[Origination]:
        """What was asked of Asterisk for each orphan.

        One of which that cannot be read, for whatever reason, is settled: the others must not wait for it.
        """
        originations = []
        for found in orphans:
            try:
                originations.append(await self._runner.origination(found))
            except StoreFailed:
                raise
            except Exception:
                self._taken_up.begin(self._runner.settle_orphan(found, lost(datetime.now(UTC))))
        return originations

    async def _journaled(
        self, asterisk: str, orphans: Collection[OpenAttempt], oldest: datetime
    ) -> tuple[dict[str, Record], bool]:
        """The journal's records by channel id, and whether it proves something that it has none of an orphan."""
        try:
            records = await self._journal.read([found.claim.attempt.channel_id for found in orphans], oldest)
        except JournalUnreadable as error:
            _log.error("journal_unreadable", asterisk=asterisk, orphans=len(orphans), reason=error)
            return {}, False
        return records, await self._journal.is_kept(asterisk, oldest)


def _evidence(
    found: OpenAttempt, now: datetime, has_channel: bool | None, record: Record | None, is_kept: bool
) -> Evidence:
    attempt = found.claim.attempt
    patience = GONE_FOR_GOOD if has_channel is None and record is None else _GRACE
    return Evidence(
        now=now,
        begun_at=found.claim.starts_at,
        has_channel=has_channel,
        record=record,
        journal_is_kept=is_kept,
        refused=attempt.refusal,
        was_seen=attempt.ringing_at is not None or attempt.answered_at is not None,
        is_over=found.ends_by + patience < now,
    )

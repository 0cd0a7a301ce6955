"""Running the attempts of this process, from claim to settled outcome."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from bridge.base.outbound import Outbound
from bridge.base.tasks import Background
from bridge.calls.attempt import LiveAttempt
from bridge.calls.dependencies import Dependencies
from bridge.calls.exchanges import Exchanges
from bridge.calls.outcomes import NotDialled, Outcome, finished, settle
from bridge.calls.pace import Pace
from bridge.calls.scripts import Scripts
from bridge.messages.attempt import Attempt
from bridge.messages.routes import Routes
from bridge.messages.statuses import EXPIRED_UNKNOWN, INTERNAL_SERVER_ERROR
from bridge.recordings.files import RecordingFiles
from bridge.speech.speech import Speech
from bridge.store import Claim, OpenAttempt, Store
from bridge.store.persistence import until_stored
from bridge.telephony.errors import LinkDown
from bridge.telephony.events import Ended, Origination
from bridge.telephony.exchange import Channel, Exchange
from bridge.telephony.formats import Formats

_log = structlog.get_logger(__name__)

_GIVEN_BACK_KEPT = 10_000


class AttemptRunner:
    """Follows attempts to their end, and settles what came of each.

    ``exchanges`` are the Asterisks by their names. ``on_settled`` is given the account, the bulk's id and the
    finished attempt, after the commit, and only by the process that settled it.
    """

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Mapping[str, Exchange],
        speech: Speech,
        recordings: RecordingFiles,
        outbound: Outbound,
        routes: Routes,
        pace: Pace,
        formats: Formats,
        on_settled: Callable[[str, str, Attempt], Awaitable[None]],
    ) -> None:
        self._store = store
        self._on_settled = on_settled
        self._running: dict[str, LiveAttempt] = {}
        self._may_dial = True
        self._idle = asyncio.Event()
        self._idle.set()
        self._canceled: frozenset[str] = frozenset()
        self._given_back: deque[str] = deque(maxlen=_GIVEN_BACK_KEPT)
        self._background = Background("failed_beside_the_call", on_over=self._note_if_idle)
        self._dependencies = Dependencies(
            store=store,
            exchanges=Exchanges(exchanges, pace),
            speech=speech,
            recordings=recordings,
            outbound=outbound,
            routes=routes,
            scripts=Scripts(),
            pace=pace,
            formats=formats,
            spawn=self._spawn,
            may_dial=lambda: self._may_dial,
        )

    @property
    def under_way(self) -> Collection[str]:
        """The ids of the attempts that are being followed."""
        return self._running.keys()

    async def wait_until_idle(self) -> None:
        """Return when no attempt is under way, nor any work that its call did not wait for."""
        await self._idle.wait()

    async def run(self, claim: Claim) -> None:
        """Call one claimed message, follow its attempt to the end, and settle it."""
        if claim.attempt.id not in self._given_back:  # recovery may have found it before its claim had returned
            running = self._new(claim)
            await self._see_through(running, claim, running.dial())

    async def origination(self, found: OpenAttempt) -> Origination:
        """What another process has asked of Asterisk for an attempt. Raises StoreFailed."""
        with _named(found.claim):
            return await LiveAttempt(self._dependencies, found.claim).take_up(found)

    async def adopt(self, found: OpenAttempt, channel: Channel) -> None:
        """Follow an attempt, whose call another process has placed, to its end, and settle it."""
        running = self._new(found.claim)

        async def go_on() -> Outcome:
            _log.info("adopted")
            try:
                await until_stored(lambda: running.take_up(found))
                return await running.go_on(channel)
            finally:
                if not channel.over:
                    await channel.hang_up()

        await self._see_through(running, found.claim, go_on())

    async def settle_orphan(self, found: OpenAttempt, ended: Ended, answered_at: datetime | None = None) -> None:
        """Settle an attempt whose call is over, and that nobody followed to its end."""
        self._given_back.append(found.claim.attempt.id)
        running = self._new(found.claim)

        async def close() -> Outcome:
            await until_stored(lambda: running.take_up(found))
            return await running.close(ended, answered_at)

        await self._see_through(running, found.claim, close())

    async def release_orphan(self, claim: Claim) -> None:
        """Give back the claim of an attempt of which nothing was dialled."""
        self._given_back.append(claim.attempt.id)
        with _named(claim):
            await self._release(claim, "never dialled")

    async def cancel(self, attempt_ids: Collection[str]) -> None:
        """Stop attempts: live calls are hung up, and what is not dialled yet never is.

        ``attempt_ids`` are all open attempts that are to be stopped, also those that were given before.
        """
        self._canceled = frozenset(attempt_ids)
        canceled = [self._running[attempt_id] for attempt_id in attempt_ids if attempt_id in self._running]
        await asyncio.gather(*(running.cancel() for running in canceled), return_exceptions=True)

    def dial_no_more(self) -> None:
        """Give back what is not dialled yet, and try no further trunks; calls under way go on."""
        self._may_dial = False

    async def hang_up_all(self) -> None:
        """End the calls under way."""
        await asyncio.gather(*(running.hang_up() for running in self._running.values()), return_exceptions=True)

    def _new(self, claim: Claim) -> LiveAttempt:
        return LiveAttempt(self._dependencies, claim, is_canceled=claim.attempt.id in self._canceled)

    async def _see_through(self, running: LiveAttempt, claim: Claim, calling: Coroutine[Any, Any, Outcome]) -> None:
        self._running[claim.attempt.id] = running
        self._idle.clear()
        try:
            with _named(claim):
                await self._settle(running, claim, calling)
        except Exception:  # recovery finds it again, as an orphan
            _log.exception("attempt_not_settled", attempt=claim.attempt.id)
        finally:
            del self._running[claim.attempt.id]
            self._note_if_idle()

    async def _settle(self, running: LiveAttempt, claim: Claim, calling: Coroutine[Any, Any, Outcome]) -> None:
        try:
            outcome = await calling
        except (LinkDown, NotDialled) as error:
            await self._release(claim, error)
            return
        except Exception:  # a fault of ours must not leave the message open for ever
            _log.exception("attempt_failed")
            outcome = Outcome(running.attempt, EXPIRED_UNKNOWN, INTERNAL_SERVER_ERROR)
        attempt = finished(outcome)
        if await settle(self._store, claim, attempt):
            _log.info("ended", status=attempt.status_id, error=attempt.error_id, sip_status=attempt.sip_status)
            await self._on_settled(claim.account, claim.bulk_id, attempt)
        else:
            _log.warning("settled_before")

    async def _release(self, claim: Claim, reason: str | Exception) -> None:
        await until_stored(lambda: self._store.calls.release(claim.key, claim.attempt.id))
        _log.info("released", reason=reason)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._background.begin(work)
        self._idle.clear()

    def _note_if_idle(self) -> None:
        if not self._running and not self._background:
            self._idle.set()


def _named(claim: Claim) -> AbstractContextManager[None]:
    """Have the log lines of the block, also of tasks that are begun in it, say which call they are about."""
    return bound_contextvars(message=claim.message.id, attempt=claim.attempt.id)

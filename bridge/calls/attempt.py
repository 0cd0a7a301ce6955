"""One attempt: its legs over the trunks, the call, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import cached_property, partial
from typing import Any

import structlog

from bridge.calls.dependencies import Dependencies
from bridge.calls.exchanges import NO_CHANNEL, origination_of
from bridge.calls.orphans import lost, within_limit
from bridge.calls.outcomes import NotDialled, Outcome, outcome
from bridge.calls.progress import CallProgress, progress_of, replay
from bridge.calls.prompts import Prompts, error_of
from bridge.calls.requests import send_request
from bridge.calls.scripts import variables_of
from bridge.calls.session import CallSession
from bridge.messages.attempt import Attempt
from bridge.messages.progress import State
from bridge.messages.statuses import (
    CANCELED,
    EXPIRED_EXPIRED,
    UNDELIVERABLE_NOT_DELIVERED,
)
from bridge.messages.windows import is_open
from bridge.recordings.of_call import CallRecordings
from bridge.scripts import Interpreter, Script, commands, events
from bridge.scripts.verbs.request import Request
from bridge.speech.errors import SpeechError
from bridge.speech.phrase import Prompt
from bridge.store import Claim, OpenAttempt, StoreFailed
from bridge.store.persistence import until_stored
from bridge.telephony.errors import LinkDown, Rejected
from bridge.telephony.events import Ended, Origination
from bridge.telephony.exchange import DEFAULT_CALL_LIMIT, Channel
from bridge.telephony.failover import FAILOVER_SECONDS, ended_of, leg_of, trunks_left, was_refused

_log = structlog.get_logger(__name__)

_MAY_BE_LATE = timedelta(seconds=1)


class AttemptState(Enum):
    """Whether an attempt is still wanted."""

    WANTED = auto()
    """It is being prepared or dialled, or its call goes on."""
    ENDING = auto()
    """The call is to end, and no further trunk is tried."""
    CANCELED = auto()
    """As ``ENDING``, because its bulk was canceled."""


class LiveAttempt:
    """An attempt that this process follows to its end: from its claim, or from where another process left it.

    To make one never fails; its methods may, on what another version has stored.
    """

    def __init__(self, dependencies: Dependencies, claim: Claim, *, is_canceled: bool = False) -> None:
        content = claim.message.content
        self._dependencies = dependencies
        self._claim = claim
        self._state = AttemptState.CANCELED if is_canceled else AttemptState.WANTED
        self._gave_up = False
        self._channel: Channel | None = None
        self._progress = CallProgress(claim.attempt.dialled_at)
        self._variables = variables_of(claim.message)
        self._recordings = CallRecordings(dependencies.store.recordings, dependencies.recordings, claim)
        self._prompts = Prompts(
            dependencies.speech,
            sensitive=content.sensitive,
            fetched_for=f"{claim.account}/{claim.bulk_id}",
            recording=self._recordings.find,
        )
        self._silence: Prompt | None = None

    @property
    def attempt(self) -> Attempt:
        """The attempt as it was committed, with its latest leg."""
        return self._claim.attempt

    @cached_property
    def _script(self) -> Script:
        return self._dependencies.scripts.of(self._claim.message.content)

    async def dial(self) -> Outcome:
        """Call the number, and follow the call to its end.

        Raises LinkDown and NotDialled when nothing was dialled and nothing will be.
        """
        try:
            await self._prepare()
            return await self._dial()
        except SpeechError as error:
            _log.error("not_spoken", reason=error)
            return Outcome(self._dialled_now(), EXPIRED_EXPIRED, error_of(error))
        finally:
            await self._prompts.release()

    async def take_up(self, found: OpenAttempt) -> Origination:
        """Take over what another process left; return the origination that it asked for. Raises StoreFailed."""
        self._progress = progress_of(found)
        attempts = await self._dependencies.store.messages.attempts(self._claim.account, self.attempt.message_id)
        rows = [row for attempt in attempts if attempt.id == self.attempt.id for row in attempt.recordings]
        self._progress.actions = self._recordings.take_up(rows, self._progress.actions)
        return origination_of(self._claim, self._recordings.of_call)

    async def go_on(self, channel: Channel) -> Outcome:
        """Follow the call that was taken up, and go on with its script."""
        try:
            await self._prepare_again()
            self._dependencies.pace.began(self.attempt.trunk)
            return await self._follow(channel)
        finally:
            await self._prompts.release()

    async def close(self, ended: Ended, answered_at: datetime | None) -> Outcome:
        """The outcome of a call that was taken up, and that is over."""
        detail = self._progress.detail
        detail.answered_at = detail.answered_at or answered_at
        ended = within_limit(ended, detail.answered_at, self._claim.message.content.call_timeout or DEFAULT_CALL_LIMIT)
        interpreter = Interpreter(self._script, self._variables)
        replay(interpreter, self._progress.told)
        for fact in interpreter.handle(events.HungUp(), self._progress.latest):
            if isinstance(fact, commands.Fact):
                detail.note(fact, ended.at)
        detail.call_over(ended.at)
        return await self._over(ended)

    async def cancel(self) -> None:
        """Hang up if the call is live; if it is not dialled yet, it never is."""
        self._state = AttemptState.CANCELED
        await self._hang_up()

    async def hang_up(self) -> None:
        """End the call; no further trunk is tried."""
        if self._state is AttemptState.WANTED:
            self._state = AttemptState.ENDING
        await self._hang_up()

    async def _hang_up(self) -> None:
        if self._channel is not None:
            await self._channel.hang_up()

    # Before the call

    async def _prepare(self) -> None:
        await self._prompts.prepare(self._script.prompts(self._variables))
        self._silence = await self._prompts.silence() if self._script.listens else None

    async def _prepare_again(self) -> None:
        try:
            await self._prepare()
        except SpeechError as error:  # the call goes on without it
            _log.error("not_spoken", reason=error)

    async def _dial(self) -> Outcome:
        await self._dependencies.pace.turn(self.attempt.trunk, self._claim.starts_at)
        if self._state is AttemptState.CANCELED:
            return Outcome(self._dialled_now(), UNDELIVERABLE_NOT_DELIVERED, CANCELED)
        is_recorded = self._claim.message.content.record
        if (is_recorded and not await self._recordings.begin_call()) or not await self._is_ours():
            raise NotDialled("another process has it, or has given it back")
        if not is_open(self._claim.message.content.window, datetime.now(UTC)):
            raise NotDialled("the time window has closed")
        if not self._dependencies.may_dial():
            raise NotDialled("nothing more is dialled")
        try:
            channel = await self._place()
        except Rejected as error:
            self._dependencies.exchanges.leave_alone(self.attempt, str(error))
            raise NotDialled(str(error)) from error
        return await self._follow(channel)

    async def _is_ours(self) -> bool:
        """Whether it is still ours to dial: a process that stood still may have been replaced meanwhile."""
        if datetime.now(UTC) - self._claim.starts_at < _MAY_BE_LATE:
            return True
        return await until_stored(lambda: self._dependencies.store.calls.is_ours(self.attempt))

    async def _place(self) -> Channel:
        """Dial the present leg. Raises LinkDown and Rejected when it was not dialled."""
        self._claim = replace(self._claim, attempt=self._dialled_now())
        self._progress = CallProgress(self.attempt.dialled_at, actions=self._recordings.actions)
        origination = origination_of(self._claim, self._recordings.of_call)
        return await self._dependencies.exchanges.place(self.attempt.asterisk, origination)

    def _dialled_now(self) -> Attempt:
        return replace(self.attempt, dialled_at=datetime.now(UTC))

    # The call

    @property
    def _tries_further_trunks(self) -> bool:
        return self._dependencies.may_dial() and self._state is AttemptState.WANTED

    async def _follow(self, channel: Channel) -> Outcome:
        """Follow the call to its end; when its trunk does not take it, try the next one."""
        leg: Channel | None = channel
        while leg is not None:
            progress = self._progress
            ended = await self._follow_leg(leg)
            if ended.dialled:
                self._gave_up = leg.given_up
            may_have_rung = progress.detail.rang or (ended.dialled and not leg.heard_all)
            is_refused = was_refused(ended, rang=may_have_rung, gave_up=leg.given_up)
            leg = await self._next_leg(ended) if is_refused and self._tries_further_trunks else None
        self._progress = progress
        if ended.dialled:
            return await self._over(ended)
        if self.attempt.refusal is not None:
            return await self._over(ended_of(self.attempt.refusal))
        if is_refused:
            self._dependencies.exchanges.leave_alone(self.attempt, NO_CHANNEL)
        raise NotDialled("Asterisk has never begun the call")

    async def _follow_leg(self, channel: Channel) -> Ended:
        session = CallSession(
            channel,
            Interpreter(self._script, self._variables),
            self._progress,
            prompts=self._prompts,
            recordings=self._recordings,
            silence=self._silence,
            trunk=self._dependencies.formats.of(self.attempt.trunk),
            send=self._send,
            on_state=self._move,
            save=self._save,
        )
        self._channel = channel
        patience = asyncio.get_running_loop().call_later(FAILOVER_SECONDS, self._give_up, channel)
        ended = lost(datetime.now(UTC))
        try:
            if self._state is not AttemptState.WANTED:
                await channel.hang_up()
            ended = await session.run()
        finally:
            self._channel = None
            patience.cancel()
            rang = self._progress.detail.rang
            self._dependencies.pace.ended(self.attempt.trunk, ended, rang=rang, gave_up=channel.given_up)
            if not channel.over:
                await channel.hang_up()
        return ended

    def _give_up(self, channel: Channel) -> None:
        """Leave this trunk for another one, if there is one and nothing has rung."""
        may_go_on = self._dependencies.may_dial() and any(trunks_left(self._dependencies.routes, self.attempt))
        if may_go_on and not self._progress.detail.rang:
            self._dependencies.spawn(channel.give_up())

    async def _next_leg(self, ended: Ended) -> Channel | None:
        """Dial over the next trunk; None when that cannot be done. The leg is committed before."""
        before, pace = self._claim, self._dependencies.pace
        leg = leg_of(before.attempt, ended)
        try:
            for trunk in trunks_left(self._dependencies.routes, before.attempt):
                clock = partial(datetime.now, UTC)
                if claim := await self._dependencies.store.calls.next_leg(before, leg, pace.limit(trunk), clock):
                    self._claim = claim
                    await pace.turn(trunk, claim.starts_at)
                    if self._tries_further_trunks:
                        _log.info("next_trunk", refused_by=leg.trunk, trunk=trunk)
                        return await self._place()
                    break
        except (StoreFailed, LinkDown, Rejected) as error:
            _log.warning("no_next_trunk", reason=error)
        self._claim = before
        return None

    async def _over(self, ended: Ended) -> Outcome:
        detail = self._progress.detail
        await until_stored(lambda: self._recordings.finish(detail.answered_at, ended.at))
        is_canceled = self._state is AttemptState.CANCELED
        return outcome(self.attempt, detail, ended, is_canceled=is_canceled, gave_up=self._gave_up)

    # What the call does not wait for

    def _move(self, state: State, at: datetime) -> None:
        """Store how far the call has come, by which its trunk has taken it; the call does not wait for that."""
        self._dependencies.pace.taken(self.attempt.trunk)

        async def move() -> None:
            try:
                await self._dependencies.store.calls.move(self._claim.key, self.attempt.id, state, at)
            except StoreFailed as error:
                _log.warning("progress_not_stored", reason=error)

        self._dependencies.spawn(move())

    def _send(self, request: Request, answer: Callable[[events.Event], None]) -> None:
        """Send a request of the script, also when its call ends meanwhile."""

        async def send() -> None:
            answer(await send_request(self._dependencies.outbound, request))

        self._dependencies.spawn(send())

    async def _save(self, happened: list[Any], ends_by: datetime) -> None:
        await self._dependencies.store.calls.note_happened(self.attempt.id, happened, ends_by)

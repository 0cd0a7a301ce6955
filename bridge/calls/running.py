"""One attempt: its legs over the trunks, the call, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

import structlog

from bridge.base.errors import VoicebridgeError
from bridge.calls.conversation import Conversation
from bridge.calls.course import Course
from bridge.calls.means import Means
from bridge.calls.outcomes import Outcome
from bridge.calls.prompts import Prompts
from bridge.calls.replay import Past, past_of, replay
from bridge.calls.requests import send_request
from bridge.calls.scripting import variables_of
from bridge.calls.settling import lost, within_limit
from bridge.messages.attempt import Attempt
from bridge.messages.progress import State
from bridge.messages.statuses import (
    CANCELED,
    ERROR_DOWNLOADING_FILE,
    ERROR_UNSUPPORTED_AUDIO_FORMAT,
    EXPIRED_EXPIRED,
    INTERNAL_SERVER_ERROR,
    REQUEST_TIMEOUT,
    UNDELIVERABLE_NOT_DELIVERED,
)
from bridge.messages.windows import is_open
from bridge.recordings.of_call import CallRecordings
from bridge.scripts import Interpreter, Script, commands, events
from bridge.speech import AudioNotDownloaded, AudioUnsupported, Prompt, SpeechError, UploadUnknown
from bridge.store import Claim, OpenAttempt, StoreFailed
from bridge.store.persistence import until_stored
from bridge.telephony.causes import outcome_of
from bridge.telephony.errors import LinkDown, Rejected
from bridge.telephony.events import Ended, Origination
from bridge.telephony.exchange import DEFAULT_CALL_LIMIT, Channel
from bridge.telephony.failover import FAILOVER_SECONDS, ended_of, leg_of, trunks_left, was_refused

_log = structlog.get_logger(__name__)


_MAY_BE_LATE = timedelta(seconds=1)


_NO_CHANNEL = (
    "Asterisk makes no channel: it is being stopped, has no endpoint of the trunk's name, "
    "or takes its AOR for unreachable (qualify_frequency, and no answer to OPTIONS)"
)


class NotDialled(VoicebridgeError):
    """Its window has closed since it was claimed, or nothing more is to be dialled, or Asterisk does not begin it."""

    id = "NOT_DIALLED"


class RunningAttempt:
    """An attempt that this process sees to its end: from its claim, or from where another process left it.

    To make one never fails; all that is done with it may, over what another version has kept.
    """

    def __init__(self, means: Means, claim: Claim, *, is_canceled: bool = False) -> None:
        content = claim.message.content
        self._means = means
        self._claim = claim
        self._is_canceled = is_canceled
        self._is_ending = is_canceled
        self._gave_up = False
        self._call: Channel | None = None
        self._past = Past(claim.attempt.dialled_at)
        self._variables = variables_of(claim.message)
        self._recordings = CallRecordings(means.store.recordings, means.recordings, claim)
        self._prompts = Prompts(
            means.speech,
            sensitive=content.sensitive,
            fetched_for=f"{claim.account}/{claim.bulk_id}",
            recording=self._recordings.find,
        )
        self._silence: Prompt | None = None

    @property
    def attempt(self) -> Attempt:
        """As it was committed, with its latest leg."""
        return self._claim.attempt

    @cached_property
    def _script(self) -> Script:
        return self._means.scripts.of(self._claim.message.content)

    async def dial(self) -> Outcome:
        """Have the number called. Raises LinkDown and NotDialled when nothing was dialled and nothing will be."""
        try:
            await self._prepare()
            return await self._dial()
        except SpeechError as error:
            _log.error("not_spoken", reason=error)
            return Outcome(self._dialled_now(), EXPIRED_EXPIRED, _unspoken(error))
        finally:
            await self._prompts.release()

    async def take_up(self, found: OpenAttempt) -> Origination:
        """Begin with what another process left; returns what that asked of Asterisk. Raises StoreFailed."""
        self._past = past_of(found)
        attempts = await self._means.store.messages.attempts(self._claim.account, self.attempt.message_id)
        rows = [row for attempt in attempts if attempt.id == self.attempt.id for row in attempt.recordings]
        self._past.actions = self._recordings.take_up(rows, self._past.actions)
        return self._means.origination(self._claim, self._recordings.of_call)

    async def go_on(self, call: Channel) -> Outcome:
        """Follow the call that was taken up, and go on with its script."""
        try:
            await self._prepare_again()
            self._means.pace.began(self.attempt.trunk)
            return await self._follow(call)
        finally:
            await self._prompts.release()

    async def close(self, ended: Ended, answered_at: datetime | None) -> Outcome:
        """What came of the call that was taken up, and that is over."""
        course = self._past.course
        course.answered_at = course.answered_at or answered_at
        ended = within_limit(ended, course.answered_at, self._claim.message.content.call_timeout or DEFAULT_CALL_LIMIT)
        interpreter = Interpreter(self._script, self._variables)
        replay(interpreter, self._past.told)
        for fact in interpreter.handle(events.HungUp(), self._past.latest):
            if isinstance(fact, commands.Fact):
                course.note(fact, ended.at)
        course.call_over(ended.at)
        return await self._over(course, ended)

    async def cancel(self) -> None:
        """Hang up if the call rings or talks; what is not dialled yet never is."""
        self._is_canceled = True
        await self.hang_up()

    async def hang_up(self) -> None:
        """End the call; no further trunk is tried."""
        self._is_ending = True
        if self._call is not None:
            await self._call.hang_up()

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
        await self._means.pace.turn(self.attempt.trunk, self._claim.starts_at)
        if self._is_canceled:
            return Outcome(self._dialled_now(), UNDELIVERABLE_NOT_DELIVERED, CANCELED)
        is_recorded = self._claim.message.content.record
        if (is_recorded and not await self._recordings.begin_call()) or not await self._is_ours():
            raise NotDialled("another process has it, or has given it back")
        if not is_open(self._claim.message.content.window, datetime.now(UTC)):
            raise NotDialled("the time window has closed")
        if not self._means.may_dial():
            raise NotDialled("nothing more is dialled")
        try:
            call = await self._place()
        except Rejected as error:
            self._spare_asterisk(str(error))
            raise NotDialled(str(error)) from error
        return await self._follow(call)

    async def _is_ours(self) -> bool:
        """Whether it is still for us to dial. A process that stood still may have been replaced meanwhile."""
        if datetime.now(UTC) - self._claim.starts_at < _MAY_BE_LATE:
            return True
        return await until_stored(lambda: self._means.store.calls.is_ours(self.attempt))

    async def _place(self) -> Channel:
        """Have the present leg dialled. Raises LinkDown and Rejected when it was not."""
        attempt, pace = self._dialled_now(), self._means.pace
        self._claim = replace(self._claim, attempt=attempt)
        self._past = Past(attempt.dialled_at, actions=self._recordings.actions)
        origination = self._means.origination(self._claim, self._recordings.of_call)
        began = time.monotonic()
        call = await self._means.switchboards[attempt.asterisk].place(origination)
        pace.began(attempt.trunk, time.monotonic() - began)
        return call

    def _dialled_now(self) -> Attempt:
        return replace(self.attempt, dialled_at=datetime.now(UTC))

    # The call

    async def _follow(self, call: Channel) -> Outcome:
        """Follow the call to its end; when its trunk does not take it, have the next one take it."""
        leg: Channel | None = call
        while leg is not None:
            past = self._past
            ended = await self._follow_leg(leg)
            if ended.dialled:
                self._gave_up = leg.given_up
            may_have_rung = past.course.rang or (ended.dialled and not leg.heard_all)
            is_refused = was_refused(ended, rang=may_have_rung, gave_up=leg.given_up)
            may_go_on = self._means.may_dial() and not self._is_ending
            leg = await self._next_leg(ended) if is_refused and may_go_on else None
        if ended.dialled:
            return await self._over(past.course, ended)
        if self.attempt.refusal is not None:
            return await self._over(past.course, ended_of(self.attempt.refusal))
        if is_refused:
            self._spare_asterisk(_NO_CHANNEL)
        raise NotDialled("Asterisk has never begun the call")

    def _spare_asterisk(self, reason: str) -> None:
        """Leave this Asterisk alone for a while: it dials by none of the trunks that it was asked to."""
        attempt, switchboards = self.attempt, self._means.switchboards
        switchboard = switchboards[attempt.asterisk]
        for trunk in (attempt.trunk, *(leg.trunk for leg in attempt.refused)):
            if not switchboard.is_left_alone(trunk):
                _log.error("asterisk_does_not_dial", asterisk=switchboard.name, trunk=trunk, reason=reason)
            switchboard.leave_alone(trunk)
            if not any(one.takes_calls(trunk) for one in switchboards.values()):
                self._means.pace.rejected(trunk)

    async def _follow_leg(self, call: Channel) -> Ended:
        conversation = Conversation(
            call,
            Interpreter(self._script, self._variables),
            self._past,
            prompts=self._prompts,
            recordings=self._recordings,
            silence=self._silence,
            trunk=self._means.formats.of(self.attempt.trunk),
            send=self._send,
            on_state=self._move,
            note=self._note,
        )
        self._call = call
        patience = asyncio.get_running_loop().call_later(FAILOVER_SECONDS, self._give_up, call)
        ended = lost(datetime.now(UTC))
        try:
            if self._is_ending:
                await call.hang_up()
            ended = await conversation.run()
        finally:
            self._call = None
            patience.cancel()
            rang = self._past.course.rang
            self._means.pace.ended(self.attempt.trunk, ended, rang=rang, gave_up=call.given_up)
            if not call.over:
                await call.hang_up()
        return ended

    def _give_up(self, call: Channel) -> None:
        """If nothing has rung, leave this trunk for another one."""
        may_go_on = self._means.may_dial() and any(trunks_left(self._means.routes, self.attempt))
        if may_go_on and not self._past.course.rang:
            self._means.spawn(call.give_up())

    async def _next_leg(self, ended: Ended) -> Channel | None:
        """Have the next trunk dial; None when none does. The leg is committed before."""
        before = self._claim
        leg = leg_of(before.attempt, ended)
        try:
            for trunk in trunks_left(self._means.routes, before.attempt):
                limit = self._means.pace.limit(trunk)
                if claim := await self._means.store.calls.next_leg(before, leg, limit, partial(datetime.now, UTC)):
                    self._claim = claim
                    await self._means.pace.turn(trunk, claim.starts_at)
                    if self._means.may_dial() and not self._is_ending:
                        _log.info("next_trunk", refused_by=leg.trunk, trunk=trunk)
                        return await self._place()
                    break
        except (StoreFailed, LinkDown, Rejected) as error:
            _log.warning("no_next_trunk", reason=error)
        self._claim = before
        return None

    async def _over(self, course: Course, ended: Ended) -> Outcome:
        await until_stored(lambda: self._recordings.finish(course.answered_at, ended.at))
        answered = course.answered_at is not None
        status_id, error_id = outcome_of(ended, answered=answered, by_machine=course.answered_by == "machine")
        if self._is_canceled and not answered:
            status_id, error_id = UNDELIVERABLE_NOT_DELIVERED, CANCELED
        elif self._gave_up and not course.rang and not ended.lost:
            status_id, error_id = EXPIRED_EXPIRED, REQUEST_TIMEOUT
        return Outcome(self.attempt, status_id, error_id, course, ended)

    # What the call does not wait for

    def _move(self, state: State, at: datetime) -> None:
        """Show how far the call has come, for which its trunk has taken it; the call goes on without it."""
        self._means.pace.taken(self.attempt.trunk)

        async def move() -> None:
            try:
                await self._means.store.calls.move(self._claim.key, self.attempt.id, state, at)
            except StoreFailed as error:
                _log.warning("progress_not_stored", reason=error)

        self._means.spawn(move())

    def _send(self, request: commands.Request, answer: Callable[[events.Event], None]) -> None:
        """Send a request of the script, also when its call ends meanwhile."""

        async def send() -> None:
            answer(await send_request(self._means.outbound, request))

        self._means.spawn(send())

    async def _note(self, happened: list[Any], ends_by: datetime) -> None:
        await self._means.store.calls.note_happened(self.attempt.id, happened, ends_by)


def _unspoken(error: SpeechError) -> int:
    match error:
        case AudioNotDownloaded() | UploadUnknown():
            return ERROR_DOWNLOADING_FILE
        case AudioUnsupported():
            return ERROR_UNSUPPORTED_AUDIO_FORMAT
        case _:
            return INTERNAL_SERVER_ERROR

"""One attempt, from its claim to the outcome in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog

from bridge.asterisk import Call, Ended, LinkDown, Origination, Rejected, Switchboard, outcome_of
from bridge.dialer.conversation import Conversation, Course
from bridge.dialer.prompts import prepare
from bridge.messages.attempt import Attempt
from bridge.messages.message import Content
from bridge.messages.progress import State
from bridge.messages.retry import next_attempt
from bridge.messages.statuses import (
    DELIVERED_TO_HANDSET,
    EXPIRED_EXPIRED,
    EXPIRED_UNKNOWN,
    INTERNAL_SERVER_ERROR,
    PENDING_ACCEPTED,
    SERVICE_UNAVAILABLE,
)
from bridge.messages.windows import next_opening
from bridge.scripts import Interpreter, Script, compile_message
from bridge.speech import Speech, SpeechError
from bridge.store import Claim, Store, StoreFailed

_log = structlog.get_logger(__name__)

_STORE_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Result:
    """How an attempt went: its status and error, and what was seen of the call if there was one."""

    status_id: int
    error_id: int
    dialled_at: datetime
    course: Course = field(default_factory=Course)
    ended: Ended | None = None


class AttemptRunner:
    """Makes the speech, places the call, follows it, and settles what came of it.

    ``on_settled`` is given the account, the bulk's id and the finished attempt, after the commit.
    """

    def __init__(
        self,
        *,
        store: Store,
        switchboard: Switchboard,
        speech: Speech,
        on_settled: Callable[[str, str, Attempt], Awaitable[None]],
    ) -> None:
        self._store = store
        self._switchboard = switchboard
        self._speech = speech
        self._on_settled = on_settled
        self._live: set[Call] = set()
        self._moves: set[asyncio.Task[None]] = set()

    async def run(self, claim: Claim) -> None:
        """See one claimed message to the end of its attempt."""
        log = _log.bind(message=claim.message.id, attempt=claim.attempt.id)
        try:
            result = await self._call(claim)
        except LinkDown:
            log.info("released", reason="there is no link to Asterisk")
            await _until_stored(lambda: self._store.release(claim.key, claim.attempt.id))
            return
        except Exception:  # a fault of ours must not leave the message open for ever
            log.exception("attempt_failed")
            result = _Result(EXPIRED_UNKNOWN, INTERNAL_SERVER_ERROR, claim.attempt.dialled_at)
        attempt = _finished(claim.attempt, result)
        await _until_stored(lambda: self._settle(claim, attempt))
        log.info("ended", status=attempt.status_id, error=attempt.error_id, sip_status=attempt.sip_status)
        await self._on_settled(claim.account, claim.bulk_id, attempt)

    async def hang_up_all(self) -> None:
        """End the calls under way."""
        await asyncio.gather(*(call.hang_up() for call in self._live), return_exceptions=True)

    async def _call(self, claim: Claim) -> _Result:
        content = claim.message.content
        script = _script(content)
        variables = {"to": claim.message.to, "from": claim.message.sender or ""}
        try:
            prompts = await prepare(script.prompts(variables), self._speech, sensitive=content.sensitive)
        except SpeechError as error:
            _log.error("not_spoken", message=claim.message.id, reason=str(error))
            return _Result(EXPIRED_EXPIRED, INTERNAL_SERVER_ERROR, datetime.now(UTC))
        dialled_at = datetime.now(UTC)
        try:
            call = await self._switchboard.place(_origination(claim))
        except Rejected as error:
            _log.error("originate_rejected", message=claim.message.id, reason=str(error))
            return _Result(EXPIRED_EXPIRED, SERVICE_UNAVAILABLE, dialled_at)
        conversation = Conversation(
            call, Interpreter(script, variables), prompts, lambda state: self._move(claim.key, state)
        )
        self._live.add(call)
        try:
            ended = await conversation.run()
        finally:
            self._live.discard(call)
            if not call.over:
                await call.hang_up()
        status_id, error_id = outcome_of(ended, answered=conversation.course.answered_at is not None)
        return _Result(status_id, error_id, dialled_at, conversation.course, ended)

    def _move(self, key: int, state: State) -> None:
        """Show how far the call has come; the call does not wait for it, and goes on without it."""

        async def move() -> None:
            try:
                await self._store.move(key, state)
            except StoreFailed as error:
                _log.warning("progress_not_stored", reason=str(error))

        task = asyncio.create_task(move())
        self._moves.add(task)
        task.add_done_callback(self._moves.discard)

    async def _settle(self, claim: Claim, attempt: Attempt) -> None:
        message, end = claim.message, attempt.ended_at
        assert end is not None
        assert attempt.status_id is not None
        assert attempt.error_id is not None
        again = None
        if attempt.status_id != DELIVERED_TO_HANDSET:
            again = next_attempt(message.content.retry, attempt.number, end)
        due_at = again and next_opening(message.content.window, again)
        if due_at and due_at < message.expires_at:
            await self._store.call_again(claim.key, attempt, due_at, PENDING_ACCEPTED)
        else:
            await self._store.finish(
                claim.key, attempt, status_id=attempt.status_id, error_id=attempt.error_id, done_at=end
            )


def _script(content: Content) -> Script:
    return compile_message(
        text=content.text,
        audio_url=content.audio_url,
        language=content.language,
        voice=content.voice,
        gender=content.gender,
        speech_rate=content.speech_rate,
        pause=content.pause,
        machine_detection=content.machine_detection,
        actions=content.actions,
        action_groups=content.action_groups,
        call_transfers=content.call_transfers,
        repeat_dtmf=content.repeat_dtmf,
        max_dtmf=content.max_dtmf,
        dtmf_timeout=content.dtmf_timeout,
    )


def _origination(claim: Claim) -> Origination:
    return Origination(
        attempt_id=claim.attempt.id,
        number=claim.message.to,
        trunk=claim.attempt.trunk,
        caller_id=claim.message.sender,
        ring_timeout=claim.message.content.ring_timeout,
        call_timeout=claim.message.content.call_timeout,
    )


def _finished(attempt: Attempt, result: _Result) -> Attempt:
    course, ended = result.course, result.ended
    finished = replace(
        attempt,
        dialled_at=result.dialled_at,
        ringing_at=course.ringing_at,
        answered_at=course.answered_at,
        ended_at=datetime.now(UTC),
        status_id=result.status_id,
        error_id=result.error_id,
        spoken=course.spoken,
        inputs=course.inputs,
    )
    if ended is None:
        return finished
    return replace(finished, ended_at=ended.at, cause=ended.cause, sip_status=ended.sip_status, hung_up_by=ended.by)


async def _until_stored(work: Callable[[], Awaitable[None]]) -> None:
    """Try until the store takes it: what happened on a call must not get lost while its database is away."""
    while True:
        try:
            return await work()
        except StoreFailed as error:
            _log.error("outcome_not_stored_yet", reason=str(error))
            await asyncio.sleep(_STORE_AGAIN_SECONDS)

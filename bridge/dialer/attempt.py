"""One attempt, from its claim to the outcome in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog

from bridge.asterisk import Call, Ended, LinkDown, Origination, Rejected, Switchboard, outcome_of
from bridge.dialer.conversation import Conversation
from bridge.dialer.course import Course
from bridge.dialer.prompts import Prompts
from bridge.dialer.recordings import CallRecordings
from bridge.dialer.requests import send_request
from bridge.dialer.scripting import script_of, variables_of
from bridge.messages.attempt import Attempt
from bridge.messages.progress import State
from bridge.messages.retry import next_attempt
from bridge.messages.statuses import (
    CANCELED,
    DELIVERED_TO_HANDSET,
    ERROR_DOWNLOADING_FILE,
    ERROR_UNSUPPORTED_AUDIO_FORMAT,
    EXPIRED_EXPIRED,
    EXPIRED_UNKNOWN,
    INTERNAL_SERVER_ERROR,
    PENDING_ACCEPTED,
    PENDING_TIME_VIOLATION,
    SERVICE_UNAVAILABLE,
    UNDELIVERABLE_NOT_DELIVERED,
)
from bridge.messages.windows import is_open, next_opening
from bridge.outbound import Outbound
from bridge.reports.recordings import RecordingFiles
from bridge.scripts import Interpreter, commands, events
from bridge.speech import AudioNotDownloaded, AudioUnsupported, Speech, SpeechError, UploadUnknown
from bridge.store import Claim, Store, StoreFailed

_log = structlog.get_logger(__name__)

_T = TypeVar("_T")

_STORE_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Result:
    """How an attempt went: its status and error, and what was seen of the call if there was one."""

    status_id: int
    error_id: int
    dialled_at: datetime
    course: Course = field(default_factory=Course)
    ended: Ended | None = None


class _WindowClosed(Exception):
    """The message's time window has closed since it was claimed."""


class AttemptRunner:
    """Makes the speech, places the call, follows it, and settles what came of it.

    ``caller_id`` is shown for messages that name none. ``on_settled`` is given the account, the bulk's id and the
    finished attempt, after the commit.
    """

    def __init__(
        self,
        *,
        store: Store,
        switchboard: Switchboard,
        speech: Speech,
        recordings: RecordingFiles,
        outbound: Outbound,
        caller_id: str | None,
        on_settled: Callable[[str, str, Attempt], Awaitable[None]],
    ) -> None:
        self._caller_id = caller_id
        self._store = store
        self._switchboard = switchboard
        self._speech = speech
        self._recordings = recordings
        self._outbound = outbound
        self._on_settled = on_settled
        self._live: dict[str, Call] = {}
        self._canceled: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()

    async def run(self, claim: Claim) -> None:
        """See one claimed message to the end of its attempt."""
        log = _log.bind(message=claim.message.id, attempt=claim.attempt.id)
        try:
            result = await self._call(claim)
        except (LinkDown, _WindowClosed) as error:
            log.info("released", reason=type(error).__name__)
            await _until_stored(lambda: self._store.release(claim.key, claim.attempt.id))
            self._canceled.discard(claim.attempt.id)
            return
        except Exception:  # a fault of ours must not leave the message open for ever
            log.exception("attempt_failed")
            result = _Result(EXPIRED_UNKNOWN, INTERNAL_SERVER_ERROR, claim.attempt.dialled_at)
        attempt = _finished(claim.attempt, result)
        await _until_stored(lambda: self._settle(claim, attempt))
        self._canceled.discard(claim.attempt.id)
        log.info("ended", status=attempt.status_id, error=attempt.error_id, sip_status=attempt.sip_status)
        await self._on_settled(claim.account, claim.bulk_id, attempt)

    async def cancel(self, attempt_ids: Collection[str]) -> None:
        """Stop attempts: calls that ring or talk are hung up, and what is not dialled yet never is."""
        self._canceled.update(attempt_ids)
        live = [self._live[attempt_id] for attempt_id in attempt_ids if attempt_id in self._live]
        await asyncio.gather(*(call.hang_up() for call in live), return_exceptions=True)

    async def hang_up_all(self) -> None:
        """End the calls under way."""
        await asyncio.gather(*(call.hang_up() for call in self._live.values()), return_exceptions=True)

    async def _call(self, claim: Claim) -> _Result:
        content = claim.message.content
        recordings = CallRecordings(self._store, self._recordings, claim)
        prompts = Prompts(
            self._speech,
            sensitive=content.sensitive,
            fetched_for=f"{claim.account}/{claim.bulk_id}",
            recording=recordings.find,
        )
        try:
            return await self._call_with(claim, prompts, recordings)
        finally:
            await prompts.release()

    async def _call_with(self, claim: Claim, prompts: Prompts, recordings: CallRecordings) -> _Result:
        content = claim.message.content
        script, variables = script_of(content), variables_of(claim.message)
        try:
            await prompts.prepare(script.prompts(variables))
            silence = await prompts.silence() if script.listens else None
        except SpeechError as error:
            _log.error("not_spoken", message=claim.message.id, reason=str(error))
            return _Result(EXPIRED_EXPIRED, _unspoken(error), datetime.now(UTC))
        dialled_at = datetime.now(UTC)
        if claim.attempt.id in self._canceled:
            return _Result(UNDELIVERABLE_NOT_DELIVERED, CANCELED, dialled_at)
        if not is_open(content.window, dialled_at):
            raise _WindowClosed
        record_to = await _until_stored(recordings.begin_call) if content.record else None
        try:
            call = await self._switchboard.place(_origination(claim, self._caller_id, record_to))
        except Rejected as error:
            _log.error("originate_rejected", message=claim.message.id, reason=str(error))
            await _until_stored(lambda: recordings.finish(None, dialled_at))
            return _Result(EXPIRED_EXPIRED, SERVICE_UNAVAILABLE, dialled_at)
        conversation = Conversation(
            call,
            Interpreter(script, variables),
            prompts=prompts,
            recordings=recordings,
            silence=silence,
            send=self._send,
            on_state=lambda state, at: self._move(claim, state, at),
        )
        ended = await self._follow(claim.attempt.id, call, conversation)
        course = conversation.course
        await _until_stored(lambda: recordings.finish(course.answered_at, ended.at))
        answered = course.answered_at is not None
        status_id, error_id = outcome_of(ended, answered=answered, by_machine=course.answered_by == "machine")
        if claim.attempt.id in self._canceled and not answered:
            status_id, error_id = UNDELIVERABLE_NOT_DELIVERED, CANCELED
        return _Result(status_id, error_id, dialled_at, course, ended)

    async def _follow(self, attempt_id: str, call: Call, conversation: Conversation) -> Ended:
        self._live[attempt_id] = call
        try:
            if attempt_id in self._canceled:
                await call.hang_up()
            return await conversation.run()
        finally:
            del self._live[attempt_id]
            if not call.over:
                await call.hang_up()

    def _move(self, claim: Claim, state: State, at: datetime) -> None:
        """Show how far the call has come; the call does not wait for it, and goes on without it."""

        async def move() -> None:
            try:
                await self._store.move(claim.key, claim.attempt.id, state, at)
            except StoreFailed as error:
                _log.warning("progress_not_stored", reason=str(error))

        self._begin(move())

    def _send(self, request: commands.Request, answer: Callable[[events.Event], None]) -> None:
        """Send a request of a script, also when its call ends meanwhile."""

        async def send() -> None:
            answer(await send_request(self._outbound, request))

        self._begin(send())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

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
            status_id = PENDING_ACCEPTED if due_at == again else PENDING_TIME_VIOLATION
            await self._store.call_again(claim.key, attempt, due_at, status_id)
        else:
            await self._store.finish(
                claim.key, attempt, status_id=attempt.status_id, error_id=attempt.error_id, done_at=end
            )


def _unspoken(error: SpeechError) -> int:
    match error:
        case AudioNotDownloaded() | UploadUnknown():
            return ERROR_DOWNLOADING_FILE
        case AudioUnsupported():
            return ERROR_UNSUPPORTED_AUDIO_FORMAT
        case _:
            return INTERNAL_SERVER_ERROR


def _origination(claim: Claim, caller_id: str | None, record_to: Path | None) -> Origination:
    return Origination(
        attempt_id=claim.attempt.id,
        number=claim.message.to,
        trunk=claim.attempt.trunk,
        caller_id=claim.message.sender or caller_id,
        ring_timeout=claim.message.content.ring_timeout,
        call_timeout=claim.message.content.call_timeout,
        record_to=None if record_to is None else str(record_to),
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
        answered_by=course.answered_by,
        answered_by_reason=course.answered_by_reason,
        spoken=course.spoken,
        inputs=course.inputs,
        collected=course.collected,
        transfers=course.transfers,
        limit_reached=course.limit_reached,
    )
    if ended is None:
        return finished
    return replace(finished, ended_at=ended.at, cause=ended.cause, sip_status=ended.sip_status, hung_up_by=ended.by)


async def _until_stored(work: Callable[[], Awaitable[_T]]) -> _T:
    """Try until the store takes it: what happened on a call must not get lost while its database is away."""
    while True:
        try:
            return await work()
        except StoreFailed as error:
            _log.error("outcome_not_stored_yet", reason=str(error))
            await asyncio.sleep(_STORE_AGAIN_SECONDS)

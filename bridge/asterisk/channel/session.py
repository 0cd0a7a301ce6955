"""AsyncAGI session of a channel: one operation at a time, an event at the end of each, and silence between them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import unquote

import structlog

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.ami.wire import Event
from bridge.asterisk.channel import agi
from bridge.asterisk.channel.limit import CallLimit
from bridge.asterisk.channel.operations import AgiOperation, OperationState
from bridge.asterisk.channel.silence import BackgroundSilence, SilenceState
from bridge.base.backoff import is_set_within
from bridge.base.tasks import Background
from bridge.telephony.errors import ExchangeError, LinkDown, Rejected, Unconfirmed
from bridge.telephony.events import CallEvent

_OPERATION = "operation"
_HANG_UP_FOLLOWS_SECONDS = 1.0
_STOPS_BY_ITSELF_SECONDS = 0.05

_log = structlog.get_logger(__name__)


class AgiSession:
    """What is being done on one channel. Its methods raise nothing when the channel or the link is gone.

    An operation that is asked for while there is no link begins when there is one again. ``tell`` is given the event at
    the end of each operation.
    """

    def __init__(
        self,
        link: AmiLink,
        channel_id: str,
        limit: CallLimit,
        tell: Callable[[CallEvent], None],
        logged_as: Mapping[str, str],
    ) -> None:
        self._link = link
        self._channel_id = channel_id
        self._limit = limit
        self._tell = tell
        self._log = _log.bind(channel=channel_id, **logged_as)
        self._loop = asyncio.get_running_loop()
        self._process = secrets.token_hex(4)
        self._silence = BackgroundSilence()
        self._operation: AgiOperation | None = None
        self._number = 0
        """Counts the operations that were begun."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_seen = False
        """Whether we know what the channel does: something was begun since the login."""
        self._ended_unseen: agi.Answer | None = None
        """The answer that ended an operation before it was adopted from another process."""
        self._again = Background("operation_not_repeated", logged_as={"channel": channel_id, **logged_as})
        self._is_closed = False

    @property
    def _operation_id(self) -> str:
        """Unique on the channel, whichever process began its operations."""
        return f"{_OPERATION}-{self._process}-{self._number}"

    async def do(self, operation: AgiOperation) -> None:
        """Begin an operation; there must be none under way."""
        self._begin(operation)
        number = self._number
        self._ended_unseen = None
        self._stop_silence()
        *first, last = operation.commands
        for command in first:
            self._post(command)
        if operation.then_listen:
            self._loop.call_soon(self._queue_silence)  # goes out after the command
        try:
            await self._send(last)
        except LinkDown:
            operation.become(OperationState.WAITING)
        except Unconfirmed:
            self._log.warning("command_unconfirmed")
            operation.told(OperationState.IN_DOUBT)
        except ExchangeError as error:
            if not self._is_closed:
                self._log.info("not_done", reason=error)
            self._fail(number)
        else:
            operation.told(OperationState.UNDER_WAY)

    async def adopt(self, operation: AgiOperation) -> None:
        """Go on with an operation that another process has begun."""
        self._begin(operation)
        operation.become(OperationState.UNDER_WAY)
        await self.resume()

    async def resume(self) -> None:
        """Go on with the operation; the channel answers when it is over, also if it was before."""
        if self._operation is None:
            return
        if self._operation.state is OperationState.WAITING:
            await self.do(self._operation)
        elif self._ended_unseen:
            self._hear_end(self._ended_unseen)
        else:
            with suppress(ExchangeError):
                await self._send(self._operation.question)

    async def stop(self, *, by_itself: bool) -> None:
        """End the playback under way, return when it has ended; ``by_itself`` says that a stop key probably does it.

        A stop that came after the end would hit the next playback, so a key is first given time to end this one.
        """
        if self._operation is None:
            return
        if self._operation.state is OperationState.WAITING:
            self._finish(None)
            return
        self._operation.become(OperationState.STOPPING)
        if by_itself:
            await is_set_within(self._idle, _STOPS_BY_ITSELF_SECONDS)
        while not self._idle.is_set():
            with suppress(Rejected):  # it has just ended
                try:
                    await self._link.send("ControlPlayback", Channel=self._channel_id, Control="stop")
                except (LinkDown, Unconfirmed):
                    return
            # A stop is lost on a playback that is still queued on the channel: send it again.
            await is_set_within(self._idle, _STOPS_BY_ITSELF_SECONDS)

    def fill_with(self, stem: str, seconds: float) -> None:
        """Set the file of silence: its stem, and how long it is. Raises ``UnsafeValue``."""
        self._silence.fill_with(agi.play_silence(stem), seconds)

    def send_silence(self) -> None:
        """Send silence until the next operation, if there is none under way."""
        if self._silence.may_begin and self._idle.is_set() and not self._is_closed:
            self._queue_silence()
            self._wake()

    def take(self, event: Event) -> None:
        """Hear an AsyncAGIExec, the answer to a command."""
        command_id = event.get("CommandId", "")
        if self._silence.state is not SilenceState.OFF and command_id == self._silence.command_id:
            self._silence_is_over()
        if not self._is_of_the_operation(command_id):
            return
        answer = agi.read(unquote(event["Result"]))
        if self._operation is None:
            self._ended_unseen = answer
        elif answer.result == agi.HUNG_UP_OR_FAILED:
            # The callee has hung up, which Hangup tells next, or it cannot be done.
            self._loop.call_later(_HANG_UP_FOLLOWS_SECONDS, self._fail, self._number)
        else:
            self._hear_end(answer)

    def link_is_back(self) -> None:
        """There is a link again: what the channel does is unknown until ``find``, or until something new is begun."""
        self._is_seen = False
        self._silence.lose_sight()

    def find(self, application: str) -> None:
        """Take in what the channel does (its application) after a time in which nothing was heard.

        Silence that any process began may be played until the channel answers.
        """
        if self._is_seen:
            return  # something was begun since then, and replaces what was found
        self._post(agi.NOTHING, self._silence.lose_sight())
        if application == agi.PLAYBACK:  # silence, which stands behind a prompt: the prompt is over
            self._ended_unseen = agi.Answer(0)

    def close(self) -> None:
        """The channel is gone."""
        self._is_closed = True
        self._operation = None
        self._idle.set()

    def _begin(self, operation: AgiOperation) -> None:
        self._number += 1
        self._operation = operation
        self._is_seen = True
        self._idle.clear()
        operation.order(self._loop.time())

    def _is_of_the_operation(self, command_id: str) -> bool:
        """Whether an answer is the operation's; of one that another process began, it bears an id of that process."""
        if self._operation and self._operation.commands:
            return command_id == self._operation_id
        return command_id.startswith(_OPERATION)

    def _hear_end(self, answer: agi.Answer) -> None:
        """The channel has nothing to do: the operation is over, or its commands got lost with the link."""
        if self._operation and self._operation.was_never_heard_of(answer, self._loop.time()):
            self._operation.become(OperationState.ORDERED)
            self._again.begin(self.do(self._operation))
        else:
            self._finish(answer)

    def _fail(self, number: int) -> None:
        if number == self._number:
            self._finish(None)

    def _finish(self, answer: agi.Answer | None) -> None:
        operation, self._operation = self._operation, None
        self._idle.set()
        self._silence.operation_over(self._loop.time())
        if operation:
            self._tell(operation.end(answer, datetime.now(UTC)))

    def _silence_is_over(self) -> None:
        if wait := self._silence.end(self._loop.time()):
            self._loop.call_later(wait, self.send_silence)
        else:
            self.send_silence()

    def _queue_silence(self) -> None:
        command_id = f"silence-{self._process}-{self._number}"
        if command := self._silence.begin(command_id, self._loop.time()):
            self._post(command, command_id)

    def _stop_silence(self) -> None:
        stops, left_over = self._silence.give_way(self._loop.time())
        for _ in range(stops):
            self._link.post("ControlPlayback", Channel=self._channel_id, Control="stop")
        for _ in range(left_over):
            self._post(agi.USE_UP_STOP)

    async def _send(self, command: str) -> None:
        self._loop.call_soon(self._wake)  # goes out in one segment with the command, and after it
        await self._link.send("AGI", Channel=self._channel_id, Command=command, CommandID=self._operation_id)

    def _post(self, command: str, command_id: str = "") -> None:
        self._link.post("AGI", Channel=self._channel_id, Command=command, CommandID=command_id)

    def _wake(self) -> None:
        """Have the channel look for its command now.

        AsyncAGI looks when a frame arrives, else every 100 ms: too long on a telephone that sends no RTP. Setting the
        call's limit, to what is left of it, puts a null frame into the channel.
        """
        left = str(self._limit.whole_seconds_left)
        self._link.post("AbsoluteTimeout", Channel=self._channel_id, Timeout=left)

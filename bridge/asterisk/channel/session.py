"""A channel under AsyncAGI: one operation at a time, each told when it is over."""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import unquote

import structlog

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.ami.wire import Event
from bridge.asterisk.channel import agi
from bridge.telephony.errors import ExchangeError, LinkDown, Rejected, Unconfirmed

_OPERATION = "operation"
_HANG_UP_FOLLOWS_SECONDS = 1.0
_STOPS_BY_ITSELF_SECONDS = 0.05
_ENDS_BY_ITSELF_SECONDS = 0.2
_FAILED_SECONDS = 1.0
_FOUND = "found"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Operation:
    """What the channel is to do: commands, the answer to the last of which says how it went.

    ``over`` is given that answer, None when it failed. ``question`` is the command to which the channel answers when
    the operation is over, should the link be lost meanwhile. ``then_listen`` has silence follow without a gap. One that
    takes at least ``seconds`` is begun again when the channel has nothing to do sooner, and may never have heard of it.
    ``begun`` is called once, when the channel has been told, or may have been.
    """

    commands: tuple[str, ...]
    over: Callable[[agi.Answer | None], None]
    question: str = agi.NOTHING
    then_listen: bool = False
    seconds: float = 0.0
    begun: Callable[[], None] = lambda: None


class Line:
    """What is being done on one channel. Its methods raise nothing when the channel or the link is gone.

    What is to be done while there is no link is begun when there is one again.

    Silence is a long file that is played while nothing else is: without RTP, networks end calls and recordings have
    holes, and only during a playback Asterisk leaves keys as they came, however fast.
    """

    def __init__(self, link: AmiLink, channel: str, ends_at: float, logged_as: Mapping[str, str]) -> None:
        self.ends_at = ends_at
        """When Asterisk ends the call by itself, on the loop's clock; told to it with the next operation."""
        self._link = link
        self._channel = channel
        self._log = _log.bind(channel=channel, **logged_as)
        self._loop = asyncio.get_running_loop()
        self._operation: Operation | None = None
        self._process = secrets.token_hex(4)
        self._number = self._number_at_login = 0
        self._is_ordered = True
        self._is_order_in_doubt = False
        self._ordered_at = 0.0
        self._again: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._silence: tuple[str, float] | None = None
        self._silence_id = ""
        self._silence_ends_at = 0.0
        self._was_silence_early = False
        self._was_driven_by_us = False
        self._over_before: agi.Answer | None = None
        self._is_closed = False

    @property
    def _operation_id(self) -> str:
        """No other operation on the channel has it, whichever process began it."""
        return f"{_OPERATION}-{self._process}-{self._number}"

    async def do(self, operation: Operation) -> None:
        """Begin an operation; there must be none under way."""
        self._begin(operation)
        number = self._number
        self._was_driven_by_us, self._over_before = True, None
        self._stop_silence()
        *first, last = operation.commands
        for command in first:
            self._post(command)
        if operation.then_listen:
            self._loop.call_soon(self._queue_silence)  # goes out after the command
        try:
            await self._send(last)
        except LinkDown:
            self._is_ordered = False
        except Unconfirmed:
            self._log.warning("command_unconfirmed")
            self._is_order_in_doubt = True
            operation.begun()
        except ExchangeError as error:
            if not self._is_closed:
                self._log.info("not_done", reason=error)
            self._fail(number)
        else:
            operation.begun()

    async def stop_playing(self, *, by_itself: bool) -> None:
        """End the playback under way, return when it has ended; ``by_itself`` says that a stop key probably does it.

        A stop that came after the end would hit the next playback, so we first see whether the key was heard.
        """
        self._is_order_in_doubt = False
        if not self._is_ordered:
            self._finish(None)
        if by_itself:
            await self._wait_until_idle()
        while not self._idle.is_set():
            with suppress(Rejected):  # it has just ended
                try:
                    await self._link.send("ControlPlayback", Channel=self._channel, Control="stop")
                except (LinkDown, Unconfirmed):
                    return
            # A stop is lost on a playback that waits for its turn in the channel: say it again.
            await self._wait_until_idle()

    def fill_with(self, silence: str, seconds: float) -> None:
        """The stem of a file of silence, so long. Raises ``UnsafeValue``."""
        self._silence = agi.play_silence(silence), seconds

    def send_silence(self) -> None:
        """Send silence until the next operation, if there is none under way."""
        if self._silence and self._idle.is_set() and not self._silence_id and not self._is_closed:
            self._queue_silence()
            self._wake()

    def take(self, event: Event) -> None:
        """Hear an AsyncAGIExec, the answer to a command."""
        command_id = event.get("CommandId", "")
        if self._silence_id and command_id == self._silence_id:
            self._silence_is_over()
        is_of_another = not self._was_driven_by_us and command_id.startswith(_OPERATION)
        if command_id != self._operation_id and not is_of_another:
            return
        answer = agi.read(unquote(event["Result"]))
        if self._operation is None:
            self._over_before = answer
        elif answer.result == agi.HUNG_UP_OR_FAILED:
            # The callee has hung up, which Hangup tells next, or it cannot be done.
            self._loop.call_later(_HANG_UP_FOLLOWS_SECONDS, self._fail, self._number)
        else:
            self._hear_end(answer)

    def link_is_back(self) -> None:
        """What was begun before is to be found; what is begun from now on is heard."""
        self._number_at_login = self._number
        self._silence_id, self._silence_ends_at = _FOUND, math.inf

    def find(self, application: str) -> None:
        """See what the channel does (its application) after a time in which nothing was heard.

        Silence may be played, begun by whomever, until the channel answers.
        """
        if self._number != self._number_at_login:
            return  # what was found has given way
        self._silence_id, self._silence_ends_at = _FOUND, math.inf
        self._post(agi.NOTHING, _FOUND)
        if application == agi.PLAYBACK:  # the silence behind a prompt
            self._over_before = agi.Answer(0)

    async def resume(self) -> None:
        """Go on with the operation; the channel answers when it is over, also if it was before."""
        if self._operation is None:
            return
        if not self._is_ordered:
            await self.do(self._operation)
        elif self._over_before:
            self._hear_end(self._over_before)
        else:
            with suppress(ExchangeError):
                await self._send(self._operation.question)

    async def adopt(self, operation: Operation) -> None:
        """Go on with an operation that another process has begun; its commands are not sent."""
        self._begin(operation)
        await self.resume()

    def close(self) -> None:
        """The channel is gone."""
        self._is_closed = True
        self._operation = None
        self._idle.set()

    def _begin(self, operation: Operation) -> None:
        self._number += 1
        self._operation = operation
        self._is_ordered, self._is_order_in_doubt, self._ordered_at = True, False, self._loop.time()
        self._idle.clear()

    def _hear_end(self, answer: agi.Answer) -> None:
        """The channel has nothing to do: the operation is over, or its order got lost with the link."""
        operation, took = self._operation, self._loop.time() - self._ordered_at
        if operation and self._is_order_in_doubt and took < operation.seconds and not answer.position:
            self._is_order_in_doubt = False
            self._again = self._loop.create_task(self.do(replace(operation, begun=lambda: None)))
        else:
            self._finish(answer)

    def _silence_is_over(self) -> None:
        is_early = self._silence_id != _FOUND and self._silence_ends_at - self._loop.time() > _FAILED_SECONDS
        is_unreadable = is_early and self._was_silence_early  # once, a stop that came late may have hit it
        self._silence_id, self._was_silence_early = "", is_early
        if is_unreadable:
            self._loop.call_later(_FAILED_SECONDS, self.send_silence)
        else:
            self.send_silence()

    def _queue_silence(self) -> None:
        if self._silence:
            command, seconds = self._silence
            self._silence_id = f"silence-{self._process}-{self._number}"
            self._silence_ends_at = self._loop.time() + seconds
            self._post(command, self._silence_id)

    def _stop_silence(self) -> None:
        """Have what follows begin at once. A stop that came after the end would hit it: wait out the last moment."""
        if self._silence_id and self._silence_ends_at - self._loop.time() > _ENDS_BY_ITSELF_SECONDS:
            # What is found may be nothing, silence, or a prompt and the silence behind it.
            stops, unused = (2, 2) if self._silence_id == _FOUND else (1, 0)
            for _ in range(stops):
                self._link.post("ControlPlayback", Channel=self._channel, Control="stop")
            for _ in range(unused):
                self._post(agi.USE_UP_STOP)
        self._silence_id, self._was_silence_early = "", False

    async def _wait_until_idle(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOPS_BY_ITSELF_SECONDS):
                await self._idle.wait()

    async def _send(self, command: str) -> None:
        self._loop.call_soon(self._wake)  # goes out in one segment with the command, and after it
        await self._link.send("AGI", Channel=self._channel, Command=command, CommandID=self._operation_id)

    def _post(self, command: str, command_id: str = "") -> None:
        self._link.post("AGI", Channel=self._channel, Command=command, CommandID=command_id)

    def _wake(self) -> None:
        """Have the channel look for its command now.

        AsyncAGI looks when a frame arrives, else every 100 ms: too long on a telephone that sends no RTP. Setting the
        call's limit, to what is left of it, puts a null frame into the channel.
        """
        left = max(1, round(self.ends_at - self._loop.time()))
        self._link.post("AbsoluteTimeout", Channel=self._channel, Timeout=str(left))

    def _finish(self, answer: agi.Answer | None) -> None:
        operation, self._operation = self._operation, None
        self._idle.set()
        if self._silence and self._silence_id:
            self._silence_ends_at = self._loop.time() + self._silence[1]
        if operation:
            operation.over(answer)

    def _fail(self, number: int) -> None:
        if number == self._number:
            self._finish(None)

"""One call: what happens on its channel, and the commands that may be given to it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import unquote

import structlog

from bridge.asterisk.calls import Answered, CallEvent, Ended, Key, Origination, Played, Ready, Ringing
from bridge.asterisk.errors import AmiError, LinkDown, Rejected, Unconfirmed, UnsafeValue
from bridge.asterisk.link import AmiLink
from bridge.asterisk.wire import Event

DEFAULT_CALL_LIMIT = 900
"""Seconds from the answer until Asterisk ends a call for which no other limit was asked."""

NORMAL_CLEARING = 16
NETWORK_OUT_OF_ORDER = 38

_RINGING, _UP = "5", "6"
_RING_TIME_OVER = "3"
_TOGETHER_SECONDS = 1.0
_AGAIN_SECONDS = 0.05

_log = structlog.get_logger(__name__)


class Call:
    """An attempt that was handed to Asterisk; ``id`` is the attempt's and the channel's.

    The commands raise nothing when the channel or the link is gone: what follows comes as events.
    """

    def __init__(self, link: AmiLink, origination: Origination, on_over: Callable[[str], None]) -> None:
        self.id = origination.attempt_id
        self.limit = origination.call_timeout or DEFAULT_CALL_LIMIT
        self._link = link
        self._on_over = on_over
        self._events: asyncio.Queue[CallEvent] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._seen: set[type[CallEvent]] = set()
        self._limit_reached_at = self._loop.time() + origination.ring_timeout + self.limit
        self._commands_given = 0
        self._playback: str | None = None
        self._playback_over = asyncio.Event()
        self._stopped = False
        self._hanging_up = False
        self._hangup: Event | None = None
        self._failure: Event | None = None
        self._over = asyncio.Event()

    @property
    def over(self) -> bool:
        return self._over.is_set()

    async def events(self) -> AsyncIterator[CallEvent]:
        """What happens on the call, in order; the last is Ended. For one reader."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    async def play(self, stem: str, *, stop_keys: str = "") -> None:
        """Play the file ``stem`` with the ending of the channel's codec; any of ``stop_keys`` ends it at once.

        Played follows; at once and incomplete when nothing can be played. Raises ``UnsafeValue``.
        """
        if not re.fullmatch(r'[^"\\]+', stem) or not re.fullmatch(r"[0-9*#A-D]*", stop_keys):
            raise UnsafeValue(
                "the name of a file to play, or its stop keys, hold a character that AGI gives a meaning to"
            )
        self._commands_given += 1
        self._playback = str(self._commands_given)
        self._playback_over.clear()
        self._stopped = False
        try:
            await self._agi(f'STREAM FILE "{stem}" "{stop_keys}"', self._playback)
        except Unconfirmed:
            _log.warning("playback_unconfirmed", attempt=self.id)
        except AmiError as error:
            if not self.over:
                _log.info("not_played", attempt=self.id, reason=str(error))
            self._end_playback(complete=False)

    async def stop(self) -> None:
        """End the playback under way; return when it has ended. Harmless when there is none."""
        while self._playback and not self.over:
            self._stopped = True
            with suppress(Rejected):  # it has just ended
                try:
                    await self._link.send("ControlPlayback", Channel=self.id, Control="stop")
                except (LinkDown, Unconfirmed):
                    return
            # A stop is lost on a playback that waits for its turn in the channel: say it again.
            with suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN_SECONDS):
                    await self._playback_over.wait()

    async def hang_up(self) -> None:
        """End the call; before the answer this stops the ringing. Without a link it is done when there is one again."""
        self._hanging_up = True
        while not self.over:
            try:
                await self._link.send("Hangup", Channel=self.id, Cause=str(NORMAL_CLEARING))
            except Rejected:
                # The channel is not there yet, or has just gone.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_AGAIN_SECONDS):
                        await self._over.wait()
            except (LinkDown, Unconfirmed):
                return
            else:
                return

    def take(self, event: Event) -> None:
        """Hear one AMI event of this channel."""
        match event["Event"]:
            case "Newstate" if event["ChannelState"] == _RINGING:
                self._tell_once(Ringing(_now()))
            case "Newstate" if event["ChannelState"] == _UP:
                self._answer()
            case "AsyncAGIStart":
                self._answer()
                self._tell_once(Ready(_now()))
            case "AsyncAGIExec" if event["CommandId"] == self._playback:
                result = unquote(event["Result"]).split()
                if "result=-1" in result:
                    # The callee has hung up, which Hangup tells next, or the file cannot be played.
                    self._loop.call_later(_TOGETHER_SECONDS, self._fail_playback, self._playback)
                else:
                    self._end_playback(complete="result=0" in result)
            case "DTMFEnd" if Answered in self._seen:
                self._tell(Key(_now(), event["Digit"]))
            case "OriginateResponse":
                self._failure = event
                self._end_when_all_is_known()
            case "Hangup":
                self._hangup = event
                self._end_when_all_is_known()

    async def resume(self, channel: Event) -> None:
        """Go on after a login that found the channel alive; ``channel`` is its entry in CoreShowChannels."""
        if channel["ChannelState"] == _RINGING:
            self._tell_once(Ringing(_now()))
        if channel["ChannelState"] == _UP:
            self._answer()
        if channel["Application"] == "AGI":
            self._tell_once(Ready(_now()))
        if self._hanging_up:
            await self.hang_up()
        elif self._playback:
            # Done after the playback, if that still runs: either way the channel says when it is over.
            await self._agi("NOOP", self._playback)

    def lose(self) -> None:
        """End the call, of whose channel nothing is left and nothing is known."""
        self._end(Ended(_now(), 0, None, timed_out=False, by=self._ended_by(), lost=True))

    async def _agi(self, command: str, command_id: str) -> None:
        self._loop.call_soon(self._wake)  # goes out in one segment with the command, and after it
        await self._link.send("AGI", Channel=self.id, Command=command, CommandID=command_id)

    def _wake(self) -> None:
        """Have the channel look for its command now.

        AsyncAGI looks when a frame arrives, else every 100 ms: too long on a telephone that sends no RTP. Setting the
        call's limit, to what is left of it, puts a null frame into the channel.
        """
        left = max(1, round(self._limit_reached_at - self._loop.time()))
        self._link.post("AbsoluteTimeout", Channel=self.id, Timeout=str(left))

    def _answer(self) -> None:
        if Answered not in self._seen:
            self._limit_reached_at = self._loop.time() + self.limit
        self._tell_once(Answered(_now()))

    def _end_playback(self, *, complete: bool) -> None:
        self._playback = None
        self._playback_over.set()
        self._tell(Played(_now(), complete and not self._stopped))

    def _fail_playback(self, playback: str) -> None:
        if playback == self._playback:
            self._end_playback(complete=False)

    def _end_when_all_is_known(self) -> None:
        """An unanswered call ends with Hangup and OriginateResponse, in either order, or without ever a channel."""
        if Answered in self._seen or (self._hangup and self._failure):
            self._end(self._ended())
        else:
            self._loop.call_later(_TOGETHER_SECONDS, lambda: self._end(self._ended()))

    def _ended(self) -> Ended:
        timed_out = self._failure is not None and self._failure["Reason"] == _RING_TIME_OVER
        by = "caller" if timed_out else self._ended_by()
        if self._hangup is None:
            return Ended(_now(), NETWORK_OUT_OF_ORDER, None, timed_out, by)
        # When we gave up ringing, TechCause is what Asterisk made of it, and not of the wire.
        sip_status = None if by == "caller" else int(self._hangup.get("TechCause", 0)) or None
        # Asterisk says 0 of a BYE that gives no Reason (RFC 3326).
        cause = int(self._hangup["Cause"]) or NORMAL_CLEARING
        return Ended(_now(), cause, sip_status, timed_out, by)

    def _ended_by(self) -> Literal["callee", "caller"]:
        return "caller" if self._hanging_up or self._loop.time() >= self._limit_reached_at else "callee"

    def _end(self, ended: Ended) -> None:
        if self.over:
            return
        self._tell(ended)
        self._over.set()
        self._playback_over.set()
        self._on_over(self.id)

    def _tell_once(self, event: CallEvent) -> None:
        if type(event) not in self._seen:
            self._tell(event)

    def _tell(self, event: CallEvent) -> None:
        if not self.over:
            self._seen.add(type(event))
            self._events.put_nowait(event)


def _now() -> datetime:
    return datetime.now(UTC)

"""One call: what happens on its channel, and the commands that may be given to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

from bridge.asterisk import agi, detector, transfers
from bridge.asterisk.calls import (
    Answered,
    CallEvent,
    Ended,
    GreetingOver,
    Key,
    Origination,
    Played,
    Ready,
    Recorded,
    Ringing,
    Transfer,
    TransferAnswered,
)
from bridge.asterisk.errors import LinkDown, Rejected, Unconfirmed
from bridge.asterisk.keys import Keys
from bridge.asterisk.line import Line, Operation
from bridge.asterisk.link import AmiLink
from bridge.asterisk.wire import Event

DEFAULT_CALL_LIMIT = 900
"""Seconds from the answer until Asterisk ends a call for which no other limit was asked."""

NORMAL_CLEARING = 16
NETWORK_OUT_OF_ORDER = 38
RECORDED_SAMPLES_A_SECOND = 8000

_RINGING, _UP = "5", "6"
_RING_TIME_OVER = "3"
_TOGETHER_SECONDS = 1.0
_AGAIN_SECONDS = 0.05


class Call:
    """An attempt that was handed to Asterisk; ``id`` is the attempt's and the channel's.

    The commands raise nothing when the channel or the link is gone: what follows comes as events. Those that are
    answered by an event come one after the other, each after the event of the one before.
    """

    def __init__(self, link: AmiLink, origination: Origination, on_over: Callable[[str], None]) -> None:
        self.id = origination.attempt_id
        self.limit = origination.call_timeout or DEFAULT_CALL_LIMIT
        self._origination = origination
        self._link = link
        self._on_over = on_over
        self._events: asyncio.Queue[CallEvent] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._line = Line(link, self.id, ends_at=self._loop.time() + origination.ring_timeout + self.limit)
        self._keys = Keys()
        self._joined_at: datetime | None = None
        self._seen: set[type[CallEvent]] = set()
        self._stopped = False
        self._hanging_up = False
        self._hangup: Event | None = None
        self._failure: Event | None = None
        self._over = asyncio.Event()

    @property
    def over(self) -> bool:
        return self._over.is_set()

    @property
    def ends_at(self) -> float:
        """When Asterisk ends the call by itself, on the loop's clock."""
        return self._line.ends_at

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
        self._stopped = False
        await self._line.do(Operation((agi.play(stem, stop_keys),), self._played, then_listen=bool(stop_keys)))

    async def stop(self, *, by_key: bool = False) -> None:
        """End the playback under way; return when it has ended. Harmless when there is none.

        ``by_key`` says that one of its stop keys was pressed, which may have ended it already.
        """
        self._stopped = True
        await self._line.stop_playing(by_itself=by_key)

    def fill_with(self, silence: str, seconds: float) -> None:
        """Give the stem of a file of silence, which is so long, for ``send_silence``. Raises ``UnsafeValue``."""
        self._line.fill_with(silence, seconds)

    def send_silence(self) -> None:
        """Send silence until something else is played, if nothing is done on the call."""
        if not self._hanging_up:
            self._line.send_silence()

    async def detect_machine(self) -> None:
        """Find out who answered. Detected follows, within some 5 s."""
        commands = (detector.OPEN, detector.DETECT, detector.VERDICT)
        await self._line.do(Operation(commands, self._detected, question=detector.VERDICT))

    async def await_greeting_end(self) -> None:
        """Wait until a machine has been silent for a while. GreetingOver follows, within a minute."""
        await self._line.do(Operation((agi.SILENCE, detector.AWAIT_SILENCE), self._greeting_over))

    async def record(self, stem: str, *, stop_keys: str, seconds: int, silence: int | None) -> None:
        """Record the callee into ``stem.wav`` for so many seconds, until a stop key, or ``silence`` seconds of it.

        Recorded follows. Raises ``UnsafeValue``.
        """
        commands = (agi.SILENCE, agi.record(stem, stop_keys, seconds, silence))
        await self._line.do(Operation(commands, self._recorded))

    async def transfer(self, transfer: Transfer) -> None:
        """Join the callee with somebody else. TransferOver follows; the callee stays. Raises ``UnsafeValue``.

        Without a limit of its own the call may last as long as the transfer does.
        """
        commands = transfers.commands(transfer, self._origination)
        if self._origination.call_timeout is None:
            self._line.ends_at = self._loop.time() + transfer.ring_seconds + transfer.max_seconds + DEFAULT_CALL_LIMIT
        self._joined_at = None
        await self._line.do(Operation(commands, self._transferred, question=transfers.RESULT))

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
            case "AsyncAGIExec":
                self._line.take(event)
            case "DialEnd":
                self._joined_at = _now()
                self._tell(TransferAnswered(self._joined_at))
            case "DTMFBegin":
                self._keys.begin()
            case "DTMFEnd":
                self._hear_key(event["Digit"])
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
        else:
            await self._line.resume()

    def lose(self) -> None:
        """End the call, of whose channel nothing is left and nothing is known."""
        self._end(Ended(_now(), 0, None, timed_out=False, by=self._ended_by(), lost=True))

    def _answer(self) -> None:
        if Answered not in self._seen:
            self._line.ends_at = self._loop.time() + self.limit
        self._tell_once(Answered(_now()))

    def _hear_key(self, digit: str) -> None:
        is_new = self._keys.end(digit, self._loop.time())
        if is_new and Answered in self._seen:
            self._tell(Key(_now(), digit))

    def _played(self, answer: agi.Answer | None) -> None:
        complete = answer is not None and answer.result == 0 and not self._stopped
        self._tell(Played(_now(), complete))

    def _detected(self, answer: agi.Answer | None) -> None:
        self._tell(detector.detected(_now(), answer.value if answer else ""))

    def _greeting_over(self, _answer: agi.Answer | None) -> None:
        self._tell(GreetingOver(_now()))

    def _recorded(self, answer: agi.Answer | None) -> None:
        samples = answer.position if answer else 0
        self._tell(Recorded(_now(), samples / RECORDED_SAMPLES_A_SECOND))

    def _transferred(self, answer: agi.Answer | None) -> None:
        if self._origination.call_timeout is None:
            self._line.ends_at = self._loop.time() + DEFAULT_CALL_LIMIT
        self._tell(transfers.transfer_over(_now(), answer.value if answer else "", self._joined_at))

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
        return "caller" if self._hanging_up or self._loop.time() >= self.ends_at else "callee"

    def _end(self, ended: Ended) -> None:
        if self.over:
            return
        self._tell(ended)
        self._over.set()
        self._line.close()
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

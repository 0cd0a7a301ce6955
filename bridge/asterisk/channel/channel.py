"""One call: what happens on its channel, and the commands that may be given to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.ami.wire import Event
from bridge.asterisk.channel import agi, detector, transfers
from bridge.asterisk.channel.keys import Keys
from bridge.asterisk.channel.line import Line, Operation
from bridge.asterisk.channel.originate import COMMANDS
from bridge.telephony.causes import NETWORK_OUT_OF_ORDER, NORMAL_CLEARING, UNSENT, UNSENT_CAUSE
from bridge.telephony.errors import ExchangeError, LinkDown, Rejected, Unconfirmed
from bridge.telephony.events import (
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
from bridge.telephony.exchange import DEFAULT_CALL_LIMIT
from bridge.telephony.records import Record

RECORDED_SAMPLES_A_SECOND = 8000

DOWN, _RINGING, _UP = "0", "5", "6"
_RING_TIME_OVER = "3"
_TOGETHER_SECONDS = 1.0
_AGAIN_SECONDS, _LONGEST_AGAIN_SECONDS = 0.05, 5.0
_ROUNDED_SECONDS = 0.6
"""AbsoluteTimeout takes whole seconds."""


class Call:
    """What was handed to Asterisk, to be dialled; ``id`` is the channel's.

    The commands raise nothing when the channel or the link is gone: what follows comes as events. Those that are
    answered by an event come one after the other, each after the event of the one before.
    """

    def __init__(
        self, link: AmiLink, origination: Origination, on_over: Callable[[str], None], *, placed_at: datetime
    ) -> None:
        self.id = origination.channel_id
        self.limit = origination.call_timeout or DEFAULT_CALL_LIMIT
        self.placed_at = placed_at
        self._origination = origination
        self._link = link
        self._on_over = on_over
        self._events: asyncio.Queue[CallEvent] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        ends_at = self._loop.time() + origination.ring_timeout + self.limit
        self._line = Line(link, self.id, ends_at, origination.logged_as)
        self._keys = Keys()
        self._joined_at: datetime | None = None
        self._seen: set[type[CallEvent]] = set()
        self._stopped = False
        self._hanging_up = False
        self.given_up = False
        self.heard_all = True
        """Whether no ringing was missed: there was a link all the time, or nothing had rung when there was one."""
        self._was_found = False
        self._hangup: Event | None = None
        self._failure: Event | None = None
        self._over = asyncio.Event()

    @property
    def over(self) -> bool:
        return self._over.is_set()

    @property
    def answered(self) -> bool:
        return Answered in self._seen

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

    async def play(
        self, stem: str, *, stop_keys: str = "", seconds: float = 0.0, begun: Callable[[], None] = lambda: None
    ) -> None:
        """Play the file ``stem`` with the ending of the channel's codec; any of ``stop_keys`` ends it at once.

        Played follows; at once and incomplete when nothing can be played. With its length in ``seconds`` it is played
        again should the order get lost with the link. ``begun`` is called once, and only if Asterisk may have begun.
        Raises ``UnsafeValue``.
        """
        self._stopped = False
        command = agi.play(stem, stop_keys)
        await self._line.do(
            Operation((command,), self._played, then_listen=bool(stop_keys), seconds=seconds, begun=begun)
        )

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
        await self._line.do(self._detection())

    async def await_greeting_end(self) -> None:
        """Wait until a machine has been silent for a while. GreetingOver follows, within a minute."""
        await self._line.do(self._greeting_end())

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
        with suppress(ExchangeError):  # should the order get lost, the transfer before would be told of
            await self._link.send("Setvar", Channel=self.id, Variable=transfers.STATUS, Value="")
        await self._line.do(self._transferring(commands))

    async def adopt_playing(self) -> None:
        """Take it that an adopted call is being played something. Played follows, at once if that is over."""
        await self._line.adopt(Operation((), self._played))

    async def adopt_detection(self) -> None:
        """Take it that an adopted call is being listened to. Detected follows."""
        await self._line.adopt(self._detection())

    async def adopt_greeting_end(self) -> None:
        """Take it that the end of a greeting is awaited on an adopted call. GreetingOver follows."""
        await self._line.adopt(self._greeting_end())

    async def adopt_recording(self) -> None:
        """Take it that the callee of an adopted call is being recorded. Recorded follows."""
        await self._line.adopt(Operation((), self._recorded))

    async def adopt_transfer(self, joined_at: datetime | None) -> None:
        """Take it that an adopted call is being transferred, and was answered ``joined_at``. TransferOver follows."""
        self._joined_at = joined_at
        await self._line.adopt(self._transferring(()))

    async def hang_up(self) -> None:
        """End the call; before the answer this stops the ringing. Without a link it is done when there is one again."""
        self._hanging_up = True
        with suppress(LinkDown, Unconfirmed):
            await self._send_hang_up()

    async def give_up(self) -> None:
        """End a call of which nothing was heard, now or never: ``given_up`` says whether it was done.

        What could not be heard may ring, and so may, later on, what Asterisk does not end now: such a call goes on.
        """
        if self.over or not self.heard_all:
            return
        self.given_up = True
        try:
            await self._order_hang_up()
        except ExchangeError:
            self.given_up = self.over

    def take(self, event: Event) -> None:
        """Hear one AMI event of this channel."""
        match event["Event"]:
            case "Newstate":
                self._change_state(event["ChannelState"])
            case "DialState":  # early media: a telephone may ring (SIP 183)
                self._change_state(_RINGING)
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
                self._end_when_all_is_known(self._hangup)
            case "Hangup":
                self._hangup = event
                self._end_when_all_is_known(event)

    @property
    def had_no_channel(self) -> bool:
        """Whether Asterisk told that the Originate failed, and nothing of a channel, with a link all the time."""
        is_untold = self._hangup is None and not self._seen and not self._was_found
        return self._failure is not None and is_untold and self.heard_all and self._link.connected

    def end_without_channel(self, *, dialled: bool) -> None:
        """End a call of which no channel was seen; ``dialled`` when there may have been one."""
        by = self._ended_by()
        self._end(Ended(_now(), NETWORK_OUT_OF_ORDER, None, timed_out=False, by=by, dialled=dialled))

    def link_is_back(self) -> None:
        """There is a link again; what happened meanwhile is not known yet."""
        self.heard_all = False
        if Ready in self._seen:
            self._line.link_is_back()

    def catch_up(
        self, channel: Event, record: Record | None, *, is_silent: bool, seconds_left: float | None = None
    ) -> None:
        """Tell what was missed of a channel that is alive: ``channel`` is its entry in CoreShowChannels.

        ``record`` is the journal's. ``is_silent`` says that it is certain that nothing has rung. ``seconds_left`` says
        when Asterisk ends the call, if that is not known already.
        """
        self._was_found, self.heard_all = True, is_silent
        if channel["ChannelState"] == _RINGING:
            self._tell_once(Ringing(_now()))
        if channel["ChannelState"] == _UP:
            self._answer(record.answered_at if record else None)
        if channel["Exten"] == COMMANDS:
            self._tell_once(Ready(_now()))
            self._line.find(channel["Application"])
        if seconds_left is not None:
            self._line.ends_at = self._loop.time() + seconds_left

    async def resume(self) -> None:
        """Go on with what was under way when the link was lost."""
        if self._hanging_up:
            await self.hang_up()
        else:
            await self._line.resume()

    def settle(self, record: Record | None, *, never_begun: bool = False) -> None:
        """End the call, of whose channel nothing is left, with what the journal has of it.

        ``never_begun`` says that Asterisk knows nothing of it either: unless it told us of the call, there was none.
        """
        self.heard_all = False
        if record and record.rang:
            self._tell_once(Ringing(record.answered_at or _now()))
        if record and record.answered_at:
            self._answer(record.answered_at)
        if record and record.ended:
            self._end(record.ended)
        else:
            dialled = bool(self._seen) or self._was_found or not never_begun
            at = max(self.placed_at, self._link.lost_at)
            self._end(Ended(at, 0, None, timed_out=False, by=self._ended_by(), lost=dialled, dialled=dialled))

    async def _send_hang_up(self) -> None:
        wait = _AGAIN_SECONDS
        while not self.over:
            try:
                await self._order_hang_up()
            except Rejected:  # the channel is not there yet, or has just gone, or Asterisk is being stopped
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._over.wait()
                wait = min(wait * 2, _LONGEST_AGAIN_SECONDS)
            else:
                return

    async def _order_hang_up(self) -> None:
        await self._link.send("Hangup", Channel=self.id, Cause=str(NORMAL_CLEARING))

    def _change_state(self, state: str) -> None:
        if state == _UP:
            self._answer()
        elif state == _RINGING and not self.answered:
            self._tell_once(Ringing(_now()))

    def _answer(self, at: datetime | None = None) -> None:
        if not self.answered:
            self._line.ends_at = self._loop.time() + self.limit
        self._tell_once(Answered(at or _now()))

    def _hear_key(self, digit: str) -> None:
        is_new = self._keys.end(digit, self._loop.time())
        if is_new and self.answered:
            self._tell(Key(_now(), digit))

    def _detection(self) -> Operation:
        commands = (detector.OPEN, detector.DETECT, detector.VERDICT)
        return Operation(commands, self._detected, question=detector.VERDICT)

    def _greeting_end(self) -> Operation:
        return Operation((agi.SILENCE, detector.AWAIT_SILENCE), self._greeting_over)

    def _transferring(self, commands: tuple[str, ...]) -> Operation:
        return Operation(commands, self._transferred, question=transfers.RESULT)

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

    def _end_when_all_is_known(self, hangup: Event | None) -> None:
        """An unanswered call ends with Hangup and OriginateResponse, in either order."""
        if hangup is None:
            return
        if self.answered or self._failure:
            self._end(self._ended(hangup))
        else:
            self._loop.call_later(_TOGETHER_SECONDS, lambda: self._end(self._ended(hangup)))

    def _ended(self, hangup: Event) -> Ended:
        if hangup.get("Language") == UNSENT:
            return Ended(_now(), UNSENT_CAUSE, None, timed_out=False, by=self._ended_by(), unsent=True)
        timed_out = self._failure is not None and self._failure["Reason"] == _RING_TIME_OVER
        by = "caller" if timed_out else self._ended_by()
        # When we gave up ringing, TechCause is what Asterisk made of it, and not of the wire.
        sip_status = None if by == "caller" else int(hangup.get("TechCause", 0)) or None
        # Asterisk says 0 of a BYE that gives no Reason (RFC 3326).
        cause = int(hangup["Cause"]) or NORMAL_CLEARING
        return Ended(_now(), cause, sip_status, timed_out, by)

    def _ended_by(self) -> Literal["callee", "caller"]:
        is_at_limit = self._loop.time() >= self.ends_at - _ROUNDED_SECONDS
        return "caller" if self._hanging_up or self.given_up or is_at_limit else "callee"

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

"""A call on a channel of Asterisk (it implements ``telephony.exchange.Channel``): events out, commands in.

A new operation is a function in ``operations`` and a method here, a new AGI command a function in ``agi``, a new AMI
event a line in ``AsteriskChannel.take``, or in ``Lifecycle.hear`` when it says how far the channel has come.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.ami.wire import Event
from bridge.asterisk.channel import agi, detector, operations, transfers
from bridge.asterisk.channel.keys import Keys
from bridge.asterisk.channel.lifecycle import Lifecycle
from bridge.asterisk.channel.limit import CallLimit
from bridge.asterisk.channel.operations import AgiOperation, nothing
from bridge.asterisk.channel.originate import COMMANDS
from bridge.asterisk.channel.session import AgiSession
from bridge.base.backoff import Backoff, Waits, is_set_within
from bridge.telephony.causes import NORMAL_CLEARING
from bridge.telephony.errors import ExchangeError, LinkDown, Rejected, Unconfirmed
from bridge.telephony.events import (
    CallEvent,
    Ended,
    KeyPressed,
    Origination,
    TransferAnswered,
    TransferOrder,
    TransferOver,
)
from bridge.telephony.records import Record

_TOGETHER_SECONDS = 1.0
_HANG_UP_AGAIN = Waits(first=0.05, longest=5.0)


class AsteriskChannel:
    """One call that Asterisk was given to dial; ``id`` is that of its channel.

    Commands raise nothing when the channel or the link is gone: what follows is told by events. A command that an event
    answers may only be given after the event of the one before.
    """

    def __init__(
        self, link: AmiLink, origination: Origination, on_over: Callable[[str], None], *, placed_at: datetime
    ) -> None:
        self.id = origination.channel_id
        self.placed_at = placed_at
        self._origination = origination
        self._link = link
        self._on_over = on_over
        self._loop = asyncio.get_running_loop()
        self._limit = CallLimit(origination, self._loop.time)
        self._lifecycle = Lifecycle(self._limit)
        self._session = AgiSession(link, self.id, self._limit, self._tell, origination.logged_as)
        self._keys = Keys()
        self._joined_at: datetime | None = None
        self._events: asyncio.Queue[Any] = asyncio.Queue()
        self._over = asyncio.Event()

    @property
    def limit(self) -> int:
        """How long the call may last, in seconds from the answer on."""
        return self._limit.seconds

    @property
    def ends_at(self) -> float:
        """When Asterisk ends the call by itself, on the loop's clock."""
        return self._limit.ends_at

    @property
    def over(self) -> bool:
        return self._lifecycle.is_over

    @property
    def answered(self) -> bool:
        return self._lifecycle.is_answered

    @property
    def heard_all(self) -> bool:
        return self._lifecycle.heard_all

    @property
    def given_up(self) -> bool:
        return self._lifecycle.given_up

    @property
    def had_no_channel(self) -> bool:
        """Whether Asterisk told that the Originate failed and told of no channel, while the link was never lost."""
        return self._lifecycle.failed_unheard and self._link.connected

    def post(self, what: object) -> None:
        """Put something of the reader's own among the events, behind those that it has not read yet."""
        self._events.put_nowait(what)

    async def events(self) -> AsyncIterator[Any]:
        """The call's ``CallEvent`` and what was posted, in order; the last is Ended. For one reader."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    # Commands

    async def play(
        self, stem: str, *, stop_keys: str = "", seconds: float = 0.0, begun: Callable[[], None] = nothing
    ) -> None:
        """Play the file ``stem`` with the ending of the channel's codec; any of ``stop_keys`` ends it at once.

        PlaybackEnded follows; at once and incomplete when nothing can be played. When its length is given in
        ``seconds``, the file is played again if the command got lost with the link. ``begun`` is called once, and only
        if Asterisk may have begun. Raises ``UnsafeValue``.
        """
        command = agi.play(stem, stop_keys)
        await self._session.do(operations.playback(command, then_listen=bool(stop_keys), seconds=seconds, begun=begun))

    async def stop(self, *, by_key: bool = False) -> None:
        """End the playback under way; return when it has ended. Harmless when there is none.

        ``by_key`` says that one of its stop keys was pressed, which may have ended it already.
        """
        await self._session.stop(by_itself=by_key)

    def fill_with(self, silence: str, seconds: float) -> None:
        """Set the file of silence (its stem and length) that ``send_silence`` plays. Raises ``UnsafeValue``."""
        self._session.fill_with(silence, seconds)

    def send_silence(self) -> None:
        """Play silence until something else is played, if nothing is under way on the call."""
        if not self._lifecycle.hanging_up:
            self._session.send_silence()

    async def detect_machine(self) -> None:
        """Find out who answered. Detected follows, within some 5 s."""
        await self._session.do(operations.detection(*detector.COMMANDS))

    async def await_greeting_end(self) -> None:
        """Wait until a machine has been silent for a while. GreetingOver follows, within a minute."""
        await self._session.do(operations.greeting_end(agi.SILENCE, detector.AWAIT_SILENCE))

    async def record(self, stem: str, *, stop_keys: str, seconds: int, silence: int | None) -> None:
        """Record the callee into ``stem.wav`` for so many seconds, until a stop key, or ``silence`` seconds of it.

        RecordingEnded follows. Raises ``UnsafeValue``.
        """
        command = agi.record(stem, stop_keys, seconds, silence)
        await self._session.do(operations.recording(agi.SILENCE, command))

    async def transfer(self, transfer: TransferOrder) -> None:
        """Join the callee with somebody else. TransferOver follows; the callee stays. Raises ``UnsafeValue``.

        Without a limit of its own the call may last as long as the transfer does.
        """
        commands = transfers.commands(transfer, self._origination)
        self._limit.transfer_begins(transfer)
        self._joined_at = None
        with suppress(ExchangeError):  # should Dial() get lost, the result of an earlier transfer would be read
            await self._link.send("Setvar", Channel=self.id, Variable=transfers.STATUS, Value="")
        await self._session.do(AgiOperation(commands, self._transferred, question=transfers.RESULT))

    async def hang_up(self) -> None:
        """End the call; before the answer this stops the ringing. Without a link it is done when there is one again."""
        self._lifecycle.hanging_up = True
        with suppress(LinkDown, Unconfirmed):
            await self._send_hang_up()

    async def give_up(self) -> None:
        """End a call that nothing was heard of, at once or else not at all: ``given_up`` says whether it was done.

        A telephone may ring unheard while there is no link, or ring later when Asterisk does not end the call now: such
        a call goes on.
        """
        if self.over or not self.heard_all:
            return
        self._lifecycle.given_up = True
        try:
            await self._order_hang_up()
        except ExchangeError:
            self._lifecycle.given_up = self.over

    # Operations that another process began: this one is told of their end

    async def adopt_playing(self) -> None:
        """Take over a playback that another process began. PlaybackEnded follows, at once if it is over."""
        await self._session.adopt(operations.playback())

    async def adopt_detection(self) -> None:
        """Take over a detection that another process began. Detected follows."""
        await self._session.adopt(operations.detection())

    async def adopt_greeting_end(self) -> None:
        """Take over the wait for the end of a greeting that another process began. GreetingOver follows."""
        await self._session.adopt(operations.greeting_end())

    async def adopt_recording(self) -> None:
        """Take over a recording of the callee that another process began. RecordingEnded follows."""
        await self._session.adopt(operations.recording())

    async def adopt_transfer(self, joined_at: datetime | None) -> None:
        """Take over a transfer that another process began, answered at ``joined_at``. TransferOver follows."""
        self._joined_at = joined_at
        await self._session.adopt(AgiOperation((), self._transferred, question=transfers.RESULT))

    # What the switchboard hears, and finds out by asking

    def take(self, event: Event) -> None:
        """Hear one AMI event of this channel."""
        match event["Event"]:
            case "AsyncAGIExec":
                self._session.take(event)
            case "DTMFBegin":
                self._keys.begin()
            case "DTMFEnd":
                self._hear_key(event["Digit"])
            case "DialEnd":
                self._joined_at = _now()
                self._tell(TransferAnswered(self._joined_at))
            case _:
                self._tell(*self._lifecycle.hear(event, _now()))
                if self._lifecycle.is_half_ended:
                    self._loop.call_later(
                        _TOGETHER_SECONDS, lambda: self._tell(*self._lifecycle.end_half_known(_now()))
                    )

    def end_without_channel(self, *, dialled: bool) -> None:
        """End a call of which no channel was seen; ``dialled`` when there may have been one."""
        self._tell(*self._lifecycle.end_without_channel(_now(), dialled=dialled))

    def link_is_back(self) -> None:
        """There is a link again; what happened meanwhile is not known yet."""
        self._lifecycle.heard_all = False
        if self._lifecycle.is_ready:
            self._session.link_is_back()

    def catch_up(
        self, channel: Event, record: Record | None, *, is_silent: bool, seconds_left: float | None = None
    ) -> None:
        """Tell what was missed of a channel that is alive: ``channel`` is its entry in CoreShowChannels.

        ``record`` is what the journal has of it. ``is_silent`` says that it is certain that nothing has rung.
        ``seconds_left`` says when Asterisk ends the call, if that is not known already.
        """
        self._tell(*self._lifecycle.catch_up(channel, record, _now(), is_silent=is_silent))
        if channel["Exten"] == COMMANDS:
            self._session.find(channel["Application"])
        if seconds_left is not None:
            self._limit.set(seconds_left)

    async def resume(self) -> None:
        """Go on with what was under way when the link was lost."""
        if self._lifecycle.hanging_up:
            await self.hang_up()
        else:
            await self._session.resume()

    def settle(self, record: Record | None, *, never_begun: bool = False) -> None:
        """End a call whose channel is gone, with what the journal has of it.

        ``never_begun`` says that neither Asterisk nor the journal knows of it: it was never dialled, unless Asterisk
        had told of its channel before.
        """
        last_known = max(self.placed_at, self._link.lost_at)
        self._tell(*self._lifecycle.settle(record, _now(), last_known=last_known, never_begun=never_begun))

    async def _send_hang_up(self) -> None:
        backoff = Backoff(_HANG_UP_AGAIN)
        while not self.over:
            try:
                await self._order_hang_up()
            except Rejected:  # the channel is not there yet, or has just gone, or Asterisk is being stopped
                await is_set_within(self._over, backoff.failed())
            else:
                return

    async def _order_hang_up(self) -> None:
        await self._link.send("Hangup", Channel=self.id, Cause=str(NORMAL_CLEARING))

    def _hear_key(self, digit: str) -> None:
        is_new = self._keys.end(digit, self._loop.time())
        if is_new and self.answered:
            self._tell(KeyPressed(_now(), digit))

    def _transferred(self, at: datetime, answer: agi.Answer | None) -> TransferOver:
        self._limit.transfer_over()
        return transfers.transfer_over(at, answer.value if answer else "", self._joined_at)

    def _tell(self, *events: CallEvent) -> None:
        for event in events:
            if self._over.is_set():
                return
            self._events.put_nowait(event)
            if isinstance(event, Ended):
                self._over.set()
                self._session.close()
                self._on_over(self.id)


def _now() -> datetime:
    return datetime.now(UTC)

"""State machine of a channel: how far it has come and how it ended, from AMI events and the journal. No I/O.

An AMI event that says something new of a channel's life gets its line in ``Lifecycle.hear``.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum, auto
from typing import Literal

from bridge.asterisk.ami.wire import Event
from bridge.asterisk.channel.limit import CallLimit
from bridge.asterisk.channel.originate import COMMANDS
from bridge.telephony.causes import NETWORK_OUT_OF_ORDER, NORMAL_CLEARING, UNSENT, UNSENT_CAUSE
from bridge.telephony.events import Answered, CallEvent, Ended, Ready, Ringing
from bridge.telephony.records import Record

_RING_TIME_OVER = "3"


class ReportedState(StrEnum):
    """What Asterisk says of a channel (the header ``ChannelState``), where it matters to us."""

    DOWN = "0"
    RINGING = "5"
    UP = "6"


class ChannelState(IntEnum):
    """How far a channel has come. It only ever goes on, so what AMI tells twice, or late, changes nothing."""

    ORDERED = auto()
    """Asterisk was told to dial, and has told nothing of a channel yet."""
    FOUND = auto()
    """Asterisk was asked, and has the channel; it has told nothing more."""
    RINGING = auto()
    """The telephone rings (SIP 180), or may (early media, 183)."""
    ANSWERED = auto()
    """The callee answered (SIP 200)."""
    READY = auto()
    """It waits in AGI(agi:async) for commands."""
    ENDED = auto()
    """It was hung up, or there has never been one."""


class Lifecycle:
    """One channel's life. Methods take what was heard of it, and return the call's events that follow.

    ``at`` is the present, in UTC. Nothing follows Ended.
    """

    def __init__(self, limit: CallLimit) -> None:
        self.state = ChannelState.ORDERED
        self.heard_all = True
        """Whether no ringing was missed: the link was never lost, or nothing had rung yet when it was back."""
        self.hanging_up = False
        """Whether we want it to end."""
        self.given_up = False
        """Whether we end it, or have ended it, because nothing was heard of it."""
        self._limit = limit
        self._ringing_was_told = False
        self._hangup: Event | None = None
        self._failure: Event | None = None

    @property
    def is_answered(self) -> bool:
        return ChannelState.ANSWERED <= self.state < ChannelState.ENDED

    @property
    def is_ready(self) -> bool:
        return self.state is ChannelState.READY

    @property
    def is_over(self) -> bool:
        return self.state is ChannelState.ENDED

    @property
    def failed_unheard(self) -> bool:
        """Whether Asterisk told that the Originate failed and told of no channel, and nothing it told was missed."""
        is_unheard = self.state is ChannelState.ORDERED and self._hangup is None
        return self._failure is not None and is_unheard and self.heard_all

    @property
    def is_half_ended(self) -> bool:
        """Whether Hangup has come, and OriginateResponse, which says why, has not."""
        return self._hangup is not None and not self.is_over

    def hear(self, event: Event, at: datetime) -> list[CallEvent]:
        """Hear one AMI event of the channel."""
        match event["Event"], event.get("ChannelState"):
            case ("Newstate", ReportedState.RINGING) | ("DialState", _):  # early media: a telephone may ring (SIP 183)
                return [] if self.is_answered else self._ring(at)
            case ("Newstate", ReportedState.UP):
                return self._answer(at)
            case ("AsyncAGIStart", _):
                return self._answer(at) + self._get_ready(at)
            case ("OriginateResponse", _):
                self._failure = event
                return self._end_if_all_is_known(at)
            case ("Hangup", _):
                self._hangup = event
                return self._end_if_all_is_known(at)
        return []

    def end_half_known(self, at: datetime) -> list[CallEvent]:
        """End the call with what its Hangup tells, since no OriginateResponse has followed."""
        return self._end_as(self._hangup, at) if self._hangup else []

    def end_without_channel(self, at: datetime, *, dialled: bool) -> list[CallEvent]:
        """End a call of which no channel was seen; ``dialled`` when there may have been one."""
        by = self._ended_by()
        return self._end(Ended(at, NETWORK_OUT_OF_ORDER, None, timed_out=False, by=by, dialled=dialled))

    def catch_up(self, channel: Event, record: Record | None, at: datetime, *, is_silent: bool) -> list[CallEvent]:
        """Find out what was missed of a channel that is alive.

        ``channel`` is its entry in CoreShowChannels, ``record`` what the journal has of it. ``is_silent`` says that it
        is certain that nothing has rung.
        """
        self.heard_all = is_silent
        self._go_on_to(ChannelState.FOUND)
        told: list[CallEvent] = []
        if channel["ChannelState"] == ReportedState.RINGING:
            told += self._ring(at)
        if channel["ChannelState"] == ReportedState.UP:
            told += self._answer((record and record.answered_at) or at)
        if channel["Exten"] == COMMANDS:
            told += self._get_ready(at)
        return told

    def settle(
        self, record: Record | None, at: datetime, *, last_known: datetime, never_begun: bool
    ) -> list[CallEvent]:
        """End a call whose channel is gone: as the journal has it, else at ``last_known``, when it was last known of.

        ``never_begun`` says that neither Asterisk nor the journal knows of it: it was never dialled, unless Asterisk
        had told of its channel before.
        """
        self.heard_all = False
        told: list[CallEvent] = []
        if record and record.rang:
            told += self._ring(record.answered_at or at)
        if record and record.answered_at:
            told += self._answer(record.answered_at)
        if record and record.ended:
            return told + self._end(record.ended)
        dialled = self.state > ChannelState.ORDERED or not never_begun
        by = self._ended_by()
        return told + self._end(Ended(last_known, 0, None, timed_out=False, by=by, lost=dialled, dialled=dialled))

    def _ring(self, at: datetime) -> list[CallEvent]:
        """Ringing, told once; from the journal it may be known only after the answer."""
        if self._ringing_was_told or self.is_over:
            return []
        self._ringing_was_told = True
        self._go_on_to(ChannelState.RINGING)
        return [Ringing(at)]

    def _answer(self, at: datetime) -> list[CallEvent]:
        if not self._go_on_to(ChannelState.ANSWERED):
            return []
        self._limit.answered()
        return [Answered(at)]

    def _get_ready(self, at: datetime) -> list[CallEvent]:
        return [Ready(at)] if self._go_on_to(ChannelState.READY) else []

    def _end(self, ended: Ended) -> list[CallEvent]:
        return [ended] if self._go_on_to(ChannelState.ENDED) else []

    def _go_on_to(self, state: ChannelState) -> bool:
        """Advance to a state; False when the channel had come so far already."""
        is_new = self.state < state
        self.state = max(self.state, state)
        return is_new

    def _end_if_all_is_known(self, at: datetime) -> list[CallEvent]:
        """An unanswered call ends with Hangup and OriginateResponse, in either order."""
        if self._hangup and (self.is_answered or self._failure):
            return self._end_as(self._hangup, at)
        return []

    def _end_as(self, hangup: Event, at: datetime) -> list[CallEvent]:
        if hangup.get("Language") == UNSENT:
            return self._end(Ended(at, UNSENT_CAUSE, None, timed_out=False, by=self._ended_by(), unsent=True))
        timed_out = self._failure is not None and self._failure["Reason"] == _RING_TIME_OVER
        by = "caller" if timed_out else self._ended_by()
        # When we ended the ringing, TechCause is Asterisk's own, and no status that the trunk sent.
        sip_status = None if by == "caller" else int(hangup.get("TechCause", 0)) or None
        # Asterisk says 0 of a BYE that gives no Reason (RFC 3326).
        cause = int(hangup["Cause"]) or NORMAL_CLEARING
        return self._end(Ended(at, cause, sip_status, timed_out, by))

    def _ended_by(self) -> Literal["callee", "caller"]:
        return "caller" if self.hanging_up or self.given_up or self._limit.is_reached else "callee"

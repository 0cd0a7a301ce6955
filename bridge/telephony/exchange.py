"""Exchange: the protocols by which the dialer and the calls use whatever carries calls, without knowing Asterisk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from bridge.telephony.events import Origination, TransferOrder
from bridge.telephony.records import Record
from bridge.telephony.trunks import TrunkStanding

DEFAULT_CALL_LIMIT = 900
"""Seconds from the answer until Asterisk ends a call for which no other limit was asked."""

GONE_FOR_GOOD = timedelta(minutes=10)
"""A call that an exchange was asked to place so long ago, and that nothing was heard of, will not begin any more."""


class Channel(Protocol):
    """One call that an exchange was given to dial; ``id`` is that of its channel.

    Commands raise nothing when the channel or the link is gone: what follows is told by events. A command that an event
    answers may only be given after the event of the one before. Stems are paths of sound files without their ending. A
    value that must not be sent to the exchange raises ``UnsafeValue``.
    """

    id: str

    @property
    def given_up(self) -> bool: ...

    @property
    def heard_all(self) -> bool:
        """Whether no ringing was missed: the link was never lost, or nothing had rung yet when it was back."""

    @property
    def over(self) -> bool: ...

    @property
    def ends_at(self) -> float:
        """When the call is ended at its limit, on the loop's clock."""

    def events(self) -> AsyncIterator[Any]:
        """The call's ``CallEvent`` and what was posted, in order; the last is Ended. For one reader."""

    def post(self, what: object) -> None:
        """Put something of the reader's own among the events, behind those that it has not read yet."""

    async def play(
        self, stem: str, *, stop_keys: str = "", seconds: float = 0.0, begun: Callable[[], None] = ...
    ) -> None:
        """Play a file, so many seconds long. PlaybackEnded follows; ``begun`` is called once, if it may have begun."""

    async def stop(self, *, by_key: bool = False) -> None:
        """End the playback under way; ``by_key`` says that one of its stop keys may have done so."""

    def fill_with(self, silence: str, seconds: float) -> None:
        """Set the file of silence that ``send_silence`` plays, so many seconds long."""

    def send_silence(self) -> None:
        """Play silence until something else is played, if nothing is under way on the call."""

    async def detect_machine(self) -> None:
        """Find out who answered. Detected follows."""

    async def await_greeting_end(self) -> None:
        """Wait until a machine has been silent for a while. GreetingOver follows."""

    async def record(self, stem: str, *, stop_keys: str, seconds: int, silence: int | None) -> None:
        """Record the callee. RecordingEnded follows."""

    async def transfer(self, transfer: TransferOrder) -> None:
        """Join the callee with somebody else. TransferOver follows; the callee stays."""

    async def adopt_playing(self) -> None: ...

    async def adopt_detection(self) -> None: ...

    async def adopt_greeting_end(self) -> None: ...

    async def adopt_recording(self) -> None: ...

    async def adopt_transfer(self, joined_at: datetime | None) -> None: ...

    async def hang_up(self) -> None:
        """End the call; before the answer this stops the ringing. Without a link it is done when there is one again."""

    async def give_up(self) -> None:
        """End a call that nothing was heard of, at once or else not at all: ``given_up`` says whether it was done."""


class Exchange(Protocol):
    """Places calls, and knows those that it carries."""

    @property
    def name(self) -> str: ...

    @property
    def connected(self) -> bool: ...

    @property
    def live_calls(self) -> int:
        """Calls whose end has not been told yet."""

    def is_left_alone(self, trunk: str) -> bool:
        """Whether it lately did not begin a call over this trunk, and gets none until it may have recovered."""

    def takes_calls(self, trunk: str) -> bool:
        """Whether it may be given calls over this trunk: there is a link, and it is not left alone."""

    def leave_alone(self, trunk: str) -> None:
        """Give it no calls over this trunk for a while."""

    async def place(self, origination: Origination) -> Channel:
        """Have the number called, at most once.

        Raises ``UnsafeValue``, ``LinkDown`` and ``Rejected``, when it is certain that nothing was dialled.
        """

    async def adopt(self, originations: Sequence[Origination], placed_since: datetime) -> Mapping[str, Channel]:
        """Take over calls, and return those whose channels are alive, by their ids.

        Raises ``ExchangeError`` when the exchange does not tell which are alive.
        """


class ExchangeJournal(Protocol):
    """The journal: what an exchange itself writes down of each call, and what stays when the exchange is gone."""

    async def read(self, channel_ids: Collection[str], since: datetime = ...) -> dict[str, Record]:
        """What is known of each of these channels; one without a line is missing. Raises ``JournalUnreadable``."""

    async def is_kept(self, asterisk: str, since: datetime) -> bool:
        """Whether a call that this Asterisk placed since then would stand in the journal, as far as can be seen."""


class Trunks(Protocol):
    """What is known of each trunk now."""

    def standing(self, trunk: str) -> TrunkStanding: ...

    def is_down(self, trunk: str) -> bool:
        """Whether calls had better go over another trunk."""

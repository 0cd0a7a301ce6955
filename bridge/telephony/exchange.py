"""Whoever carries calls, as those see it who have calls placed: Asterisk, of which they know no more than this."""

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
"""An exchange that has not been heard of for so long will not begin what may still be on its way to it."""


class Channel(Protocol):
    """One call that was handed to an exchange, to be dialled; ``id`` is the channel's.

    The commands raise nothing when the channel or the link is gone: what follows comes as events. Those that are
    answered by an event come one after the other, each after the event of the one before. Stems are paths of sound
    files without their ending; what must not be said to the exchange raises ``UnsafeValue``.
    """

    id: str

    @property
    def given_up(self) -> bool: ...

    @property
    def heard_all(self) -> bool:
        """Whether no ringing was missed: there was a link all the time, or nothing had rung when there was one."""

    @property
    def over(self) -> bool: ...

    @property
    def ends_at(self) -> float:
        """When the call is ended at its limit, on the loop's clock."""

    def events(self) -> AsyncIterator[Any]:
        """The call's ``CallEvent`` and what was posted, in order; the last is Ended. For one reader."""

    def post(self, what: object) -> None:
        """Have something of the reader's own come in its turn."""

    async def play(
        self, stem: str, *, stop_keys: str = "", seconds: float = 0.0, begun: Callable[[], None] = ...
    ) -> None:
        """Play a file, so many seconds long. PlaybackEnded follows; ``begun`` is called once, if it may have begun."""

    async def stop(self, *, by_key: bool = False) -> None:
        """End the playback under way; ``by_key`` says that one of its stop keys may have done so."""

    def fill_with(self, silence: str, seconds: float) -> None:
        """Give a file of silence for ``send_silence``."""

    def send_silence(self) -> None:
        """Send silence until something else is played, if nothing is done on the call."""

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
        """End a call of which nothing was heard, now or never: ``given_up`` says whether it was done."""


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
        """Whether it has not begun a call by this trunk lately, and is to be spared until it may have recovered."""

    def takes_calls(self, trunk: str) -> bool:
        """Whether it may be given calls by this trunk: there is a link, and it is not left alone."""

    def leave_alone(self, trunk: str) -> None:
        """Spare it calls by this trunk for a while."""

    async def place(self, origination: Origination) -> Channel:
        """Have the number called, at most once.

        Raises ``UnsafeValue``, ``LinkDown`` and ``Rejected``, when it is certain that nothing was dialled.
        """

    async def adopt(self, originations: Sequence[Origination], placed_since: datetime) -> Mapping[str, Channel]:
        """The calls whose channels are alive, by their ids. Raises ``ExchangeError`` when that is not told."""


class ExchangeJournal(Protocol):
    """What an exchange itself writes down of each call, which outlives it."""

    async def read(self, channel_ids: Collection[str], since: datetime = ...) -> dict[str, Record]:
        """What is known of each of these channels; one without a line is missing. Raises ``JournalUnreadable``."""

    async def is_kept(self, asterisk: str, since: datetime) -> bool:
        """Whether a call that it placed since then would stand there, as far as can be seen."""


class Trunks(Protocol):
    """What is known of each trunk now."""

    def standing(self, trunk: str) -> TrunkStanding: ...

    def is_down(self, trunk: str) -> bool:
        """Whether calls had better go another way."""

"""Operations on a channel, such as a playback: their commands, how far they have come, the event at their end. No I/O.

A new operation gets its function at the end, and a method of ``AsteriskChannel``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from bridge.asterisk.channel import agi, detector
from bridge.telephony.events import CallEvent, Detected, GreetingOver, PlaybackEnded, RecordingEnded

RECORDED_SAMPLES_A_SECOND = 8000


class OperationState(Enum):
    """How far an operation has come."""

    WAITING = auto()
    """Its commands go out now, or when there is a link again."""
    ORDERED = auto()
    """Its commands were sent; Asterisk has not said yet that it has them."""
    IN_DOUBT = auto()
    """The link was lost before Asterisk said so: the channel may never hear of them."""
    UNDER_WAY = auto()
    """Asterisk has them, or had them from another process."""
    STOPPING = auto()
    """We want no more of it: it counts as failed, whatever the channel says in the end."""
    OVER = auto()
    """Its end was told."""


_NEXT: Mapping[OperationState, frozenset[OperationState]] = {
    OperationState.WAITING: frozenset({OperationState.ORDERED, OperationState.OVER}),
    OperationState.ORDERED: frozenset(
        {
            OperationState.WAITING,
            OperationState.IN_DOUBT,
            OperationState.UNDER_WAY,
            OperationState.STOPPING,
            OperationState.OVER,
        }
    ),
    OperationState.IN_DOUBT: frozenset({OperationState.ORDERED, OperationState.STOPPING, OperationState.OVER}),
    OperationState.UNDER_WAY: frozenset({OperationState.STOPPING, OperationState.OVER}),
    OperationState.STOPPING: frozenset({OperationState.OVER}),
    OperationState.OVER: frozenset(),
}
"""The states that may follow each; a change to any other comes too late, and is ignored."""


def nothing() -> None:
    pass


@dataclass(slots=True, eq=False)
class AgiOperation:
    """AGI commands that the channel is to carry out; the answer to the last of them says how it went.

    ``tells`` makes an event of the time (UTC) and that answer, None when it failed. There are no commands when another
    process has sent them. ``question`` is sent after the link was lost: the channel answers it as soon as the operation
    is over. ``then_listen`` has silence follow without a gap. An operation takes at least ``seconds``: when the channel
    has nothing to do sooner, and may never have got the commands, they are sent again. ``begun`` is called once, when
    the channel has been told, or may have been.
    """

    commands: tuple[str, ...]
    tells: Callable[[datetime, agi.Answer | None], CallEvent]
    question: str = agi.NOTHING
    then_listen: bool = False
    seconds: float = 0.0
    begun: Callable[[], None] = nothing
    state: OperationState = field(default=OperationState.WAITING, init=False)
    _ordered_at: float = field(default=0.0, init=False)

    def become(self, state: OperationState) -> None:
        if state in _NEXT[self.state]:
            self.state = state

    def order(self, now: float) -> None:
        """Note that its commands are being sent, at ``now`` on the loop's clock."""
        self._ordered_at = now
        self.become(OperationState.ORDERED)

    def told(self, state: OperationState) -> None:
        """Note that the channel has been told, or may have been: ``state`` says which."""
        self.become(state)
        begun, self.begun = self.begun, nothing
        begun()

    def was_never_heard_of(self, answer: agi.Answer, now: float) -> bool:
        """Whether its commands got lost with the link: the channel has nothing to do sooner than they take."""
        is_early = now - self._ordered_at < self.seconds and not answer.position
        return self.state is OperationState.IN_DOUBT and is_early

    def end(self, answer: agi.Answer | None, at: datetime) -> CallEvent:
        """Note that it is over; returns the event that tells so."""
        was_stopped = self.state is OperationState.STOPPING
        self.become(OperationState.OVER)
        return self.tells(at, None if was_stopped else answer)


# One function for each kind: with its commands, or without them when another process has begun it


def playback(
    *commands: str, then_listen: bool = False, seconds: float = 0.0, begun: Callable[[], None] = nothing
) -> AgiOperation:
    return AgiOperation(commands, _played, then_listen=then_listen, seconds=seconds, begun=begun)


def recording(*commands: str) -> AgiOperation:
    return AgiOperation(commands, _recorded)


def detection(*commands: str) -> AgiOperation:
    return AgiOperation(commands, _detected, question=detector.VERDICT)


def greeting_end(*commands: str) -> AgiOperation:
    return AgiOperation(commands, _greeting_over)


def _played(at: datetime, answer: agi.Answer | None) -> PlaybackEnded:
    return PlaybackEnded(at, complete=answer is not None and answer.result == 0)


def _recorded(at: datetime, answer: agi.Answer | None) -> RecordingEnded:
    samples = answer.position if answer else 0
    return RecordingEnded(at, samples / RECORDED_SAMPLES_A_SECOND)


def _detected(at: datetime, answer: agi.Answer | None) -> Detected:
    return detector.detected(at, answer.value if answer else "")


def _greeting_over(at: datetime, _answer: agi.Answer | None) -> GreetingOver:
    return GreetingOver(at)

"""What happens on a call, as the interpreter is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

DialResult = Literal["answered", "busy", "no-answer", "failed"]
AnsweredBy = Literal["human", "machine", "unknown"]


@dataclass(frozen=True, slots=True)
class Machine:
    """The detector has decided. May come before the script asks for it."""

    answered_by: AnsweredBy


@dataclass(frozen=True, slots=True)
class GreetingEnded:
    """The machine waits for a message."""


@dataclass(frozen=True, slots=True)
class Key:
    """The callee pressed a key: one of ``0-9*#A-D``."""

    digit: str


@dataclass(frozen=True, slots=True)
class Played:
    """The playback ``id`` ended; ``complete`` is False when it was stopped or failed."""

    id: int
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Recorded:
    """The recording ``id`` ended and is so long."""

    id: int
    seconds: float


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """The dialled side left, or never came; ``seconds`` is how long the two were joined."""

    id: int
    result: DialResult
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Responded:
    """The answer to request ``id``: its HTTP status, None when none came, and the decoded body's members."""

    id: int
    status: int | None
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timer:
    """The time of the timer ``name`` has come."""

    name: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """The call is over, whoever ended it."""


Event = Machine | GreetingEnded | Key | Played | Recorded | TransferEnded | Responded | Timer | HungUp

_KINDS = {kind.__name__: kind for kind in get_args(Event)}


def to_json(event: Event) -> list[Any]:
    """The event as JSON values; those of a response are kept as they came."""
    return [type(event).__name__, {member.name: getattr(event, member.name) for member in fields(event)}]


def from_json(value: list[Any]) -> Event:
    """The event that ``to_json`` was given. Raises ValueError when it was none."""
    try:
        name, members = value
        event: Event = _KINDS[name](**members)
    except (TypeError, KeyError) as error:
        raise ValueError("not an event") from error
    return event

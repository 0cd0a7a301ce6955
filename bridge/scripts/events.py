"""What happens on a call, as the interpreter is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

DialResult = Literal["answered", "busy", "no-answer", "failed"]
AnsweredBy = Literal["human", "machine", "unknown"]

_kinds: dict[str, type[Event]] = {}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens on a call; a verb that awaits one of its own declares it.

    Its name and members are what is kept of it: see ``to_json``.
    """

    def __init_subclass__(cls) -> None:
        _kinds[cls.__name__] = cls


@dataclass(frozen=True, slots=True)
class Machine(Event):
    """The detector has decided. May come before the script asks for it."""

    answered_by: AnsweredBy


@dataclass(frozen=True, slots=True)
class GreetingEnded(Event):
    """The machine waits for a message."""


@dataclass(frozen=True, slots=True)
class Key(Event):
    """The callee pressed a key: one of ``0-9*#A-D``."""

    digit: str


@dataclass(frozen=True, slots=True)
class Played(Event):
    """The playback ``id`` ended; ``complete`` is False when it was stopped or failed."""

    id: int
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Recorded(Event):
    """The recording ``id`` ended and is so long."""

    id: int
    seconds: float


@dataclass(frozen=True, slots=True)
class TransferEnded(Event):
    """The dialled side left, or never came; ``seconds`` is how long the two were joined."""

    id: int
    result: DialResult
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Responded(Event):
    """The answer to request ``id``: its HTTP status, None when none came, and the decoded body's members."""

    id: int
    status: int | None
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timer(Event):
    """The time of the timer ``name`` has come."""

    name: str


@dataclass(frozen=True, slots=True)
class HungUp(Event):
    """The call is over, whoever ended it."""


def to_json(event: Event) -> list[Any]:
    """The event as JSON values; those of a response are kept as they came."""
    return [type(event).__name__, {member.name: getattr(event, member.name) for member in fields(event)}]


def from_json(value: list[Any]) -> Event:
    """The event that ``to_json`` was given. Raises ValueError when it was none."""
    try:
        name, members = value
        event = _kinds[name](**members)
    except (TypeError, KeyError) as error:
        raise ValueError("not an event") from error
    return event

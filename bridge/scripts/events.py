"""Events that the interpreter is told of a call. Those that a single verb waits for stand in the verb's file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

AnsweredBy = Literal["human", "machine", "unknown"]

_kinds: dict[str, type[Event]] = {}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens on a call. It is stored under the names of its class and members: see ``to_json``."""

    def __init_subclass__(cls) -> None:
        _kinds[cls.__name__] = cls


@dataclass(frozen=True, slots=True)
class Machine(Event):
    """The detector has decided. May come before the script asks for it."""

    answered_by: AnsweredBy


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
class Timer(Event):
    """The time of the timer ``name`` has come."""

    name: str


@dataclass(frozen=True, slots=True)
class HungUp(Event):
    """The call is over, whoever ended it."""


def to_json(event: Event) -> list[Any]:
    """The event as JSON values; the members of a response are left as they came."""
    return [type(event).__name__, {member.name: getattr(event, member.name) for member in fields(event)}]


def from_json(value: list[Any]) -> Event:
    """The event that ``to_json`` was given. Raises ValueError when it was none."""
    try:
        name, members = value
        event = _kinds[name](**members)
    except (TypeError, KeyError) as error:
        raise ValueError("not an event") from error
    return event

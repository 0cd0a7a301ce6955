"""What a call has come to, kept so that another process can go on with its script where this one stopped."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from pydantic import TypeAdapter

from bridge.calls.course import Course
from bridge.recordings.of_call import Action
from bridge.scripts import Interpreter, events
from bridge.store import OpenAttempt

_log = structlog.get_logger(__name__)

Told = tuple[float, events.Event | None]
"""When the script was told something, on the call's clock, and what; None is that it was to begin."""


@dataclass(slots=True)
class Past:
    """A call so far. Its clock counts seconds from ``began_at``.

    An interpreter that is told the same again comes to stand where the first one stood. ``loops_left`` is how often
    the prompt that plays is to be played once more; None when nothing was kept since the script began.
    """

    began_at: datetime
    course: Course = field(default_factory=Course)
    told: list[Told] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    loops_left: int | None = 0

    @property
    def script_has_begun(self) -> bool:
        return any(event is None for _, event in self.told)

    @property
    def latest(self) -> float:
        """When the script was told something last."""
        return self.told[-1][0] if self.told else 0.0


@dataclass(frozen=True, slots=True)
class _Kept:
    """The past as JSON: events are [seconds, name, members], the start of the script is [seconds]."""

    began_at: datetime
    course: Course
    told: list[list[Any]]
    actions: list[Action]
    loops_left: int | None


_kept = TypeAdapter(_Kept)


def dump(past: Past) -> list[Any]:
    """The past as JSON values."""
    told = [[at] if event is None else [at, *events.to_json(event)] for at, event in past.told]
    kept = _Kept(past.began_at, past.course, told, past.actions, past.loops_left)
    return [_kept.dump_python(kept, mode="json")]


def load(happened: list[Any]) -> Past:
    """What ``dump`` was given. Raises whatever comes when it is something else."""
    (values,) = happened
    kept = _kept.validate_python(values)
    told: list[Told] = [(at, events.from_json(event) if event else None) for at, *event in kept.told]
    return Past(kept.began_at, kept.course, told, kept.actions, kept.loops_left)


def past_of(found: OpenAttempt) -> Past:
    """What is known of an attempt of another process; whoever saw the answer had the script begin.

    Nothing is kept of a call on which nothing but that happened.
    """
    if found.happened:
        try:
            return load(found.happened)
        except Exception:  # of another version, or damaged
            _log.exception("past_not_read")
    attempt = found.claim.attempt
    course = Course(ringing_at=attempt.ringing_at, answered_at=attempt.answered_at)
    if attempt.answered_at is None:
        return Past(attempt.dialled_at, course)
    return Past(attempt.answered_at, course, told=[(0.0, None)], loops_left=None)


def replay(interpreter: Interpreter, told: list[Told]) -> None:
    """Bring a new interpreter to where another one stood; what it commands was done already."""
    for at, event in told:
        if event is None:
            interpreter.start(at)
        else:
            interpreter.handle(event, at)


class Clock:
    """The seconds of one call, going on in whichever process follows it."""

    def __init__(self, past: Past) -> None:
        elapsed = (datetime.now(UTC) - past.began_at).total_seconds()
        # Also when the machine's clock was put back meanwhile, the call's goes forward.
        self._zero = time.monotonic() - max(elapsed, past.latest)

    def now(self) -> float:
        return time.monotonic() - self._zero

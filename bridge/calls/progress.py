"""Progress of a call, stored so that another process can go on with its script where this one stopped."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from pydantic import TypeAdapter

from bridge.calls.detail import CallDetail
from bridge.recordings.of_call import Action
from bridge.scripts import Interpreter, events
from bridge.store import OpenAttempt

_log = structlog.get_logger(__name__)

Told = tuple[float, events.Event | None]
"""When the script was told something, in seconds on the call's clock, and what; None is the script's start."""


@dataclass(slots=True)
class CallProgress:
    """A call so far. Its clock counts seconds from ``began_at``.

    A new interpreter that is told all of ``told`` again stands where the first one stood. ``loops_left`` is how often
    the prompt that plays is to be played once more; None when nothing was stored since the script began.
    """

    began_at: datetime
    detail: CallDetail = field(default_factory=CallDetail)
    told: list[Told] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    loops_left: int | None = 0

    @property
    def script_has_begun(self) -> bool:
        return any(event is None for _, event in self.told)

    @property
    def latest(self) -> float:
        """When the script was told something last, in seconds on the call's clock."""
        return self.told[-1][0] if self.told else 0.0


@dataclass(frozen=True, slots=True)
class _Kept:
    """A progress as it is stored: events are [seconds, name, members], the start of the script is [seconds]."""

    began_at: datetime
    course: CallDetail
    told: list[list[Any]]
    actions: list[Action]
    loops_left: int | None


_kept = TypeAdapter(_Kept)


def dump(progress: CallProgress) -> list[Any]:
    """A progress as JSON values."""
    told = [[at] if event is None else [at, *events.to_json(event)] for at, event in progress.told]
    kept = _Kept(progress.began_at, progress.detail, told, progress.actions, progress.loops_left)
    return [_kept.dump_python(kept, mode="json")]


def load(happened: list[Any]) -> CallProgress:
    """Read what ``dump`` returned. Raises any exception when it is something else."""
    (values,) = happened
    kept = _kept.validate_python(values)
    told: list[Told] = [(at, events.from_json(event) if event else None) for at, *event in kept.told]
    return CallProgress(kept.began_at, kept.course, told, kept.actions, kept.loops_left)


def progress_of(found: OpenAttempt) -> CallProgress:
    """The progress of an attempt that another process began.

    Nothing is stored of a call on which nothing happened but its answer, with which the script began.
    """
    if found.happened:
        try:
            return load(found.happened)
        except Exception:  # of another version, or damaged
            _log.exception("past_not_read")
    attempt = found.claim.attempt
    detail = CallDetail(ringing_at=attempt.ringing_at, answered_at=attempt.answered_at)
    if attempt.answered_at is None:
        return CallProgress(attempt.dialled_at, detail)
    return CallProgress(attempt.answered_at, detail, told=[(0.0, None)], loops_left=None)


def replay(interpreter: Interpreter, told: list[Told]) -> None:
    """Bring a new interpreter to where another one stood. Its commands are dropped: they were carried out before."""
    for at, event in told:
        if event is None:
            interpreter.start(at)
        else:
            interpreter.handle(event, at)


class Clock:
    """The clock of one call, in seconds, which goes on in whichever process follows the call."""

    def __init__(self, progress: CallProgress) -> None:
        elapsed = (datetime.now(UTC) - progress.began_at).total_seconds()
        # The call's clock goes forward even if the machine's was put back meanwhile.
        self._zero = time.monotonic() - max(elapsed, progress.latest)

    def now(self) -> float:
        return time.monotonic() - self._zero

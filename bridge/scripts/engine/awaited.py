"""What a call waits for, one thing at a time: the reply to a command, or keys."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from bridge.scripts.commands import Command, SetTimer
from bridge.scripts.engine.keys import Entry
from bridge.scripts.events import Event


@dataclass(frozen=True, slots=True)
class Reply:
    """The event of this ``kind`` that answers ``command``, or the ``timer`` that comes before it.

    ``stop`` ends the wait early when one of ``stop_keys`` is pressed. A key is kept for whoever listens next, unless it
    is one of ``ignored_keys``.
    """

    command: Command
    kind: type[Event]
    timer: SetTimer | None = None
    stop: Command | None = None
    stop_keys: str = ""
    ignored_keys: str = ""

    def is_given_by(self, event: Event) -> bool:
        """Whether this event is the reply. A command that is given once a call has no id, nor has its event."""
        return isinstance(event, self.kind) and getattr(event, "id", None) == getattr(self.command, "id", None)


Awaited = Reply | Entry

Waiting = Generator[Awaited, Event | None, None]
"""A step that takes time: it yields what it waits for, and is sent the event that ended the wait.

That is the reply, or the Timer when none came in time. An Entry has its keys by then.
"""

"""Progress of a message: the states that it goes through, and the report of its final status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.messages.attempt import Attempt
from bridge.messages.message import Message


class State(StrEnum):
    """The states of a message, in the order it goes through them."""

    QUEUED = "queued"
    """Accepted, and waiting for its time, its trunk or its next attempt."""
    PAUSED = "paused"
    """Not called before its bulk is resumed."""
    DIALLING = "dialling"
    """An attempt is committed and handed to Asterisk."""
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    """Answered; the script runs."""
    DONE = "done"
    """Final: one status, one report."""


WAITING = (State.QUEUED, State.PAUSED)
"""Nothing of the message is under way."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One message as it stands now.

    ``sent_at`` is when the latest attempt that is over was dialled; when none is, the time at which to send it.
    """

    bulk_id: str
    account: str
    message: Message
    state: State
    attempts: int
    status_id: int
    error_id: int
    sent_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Report:
    """A message's final outcome, with the attempt that decided it (None when it was never dialled)."""

    bulk_id: str
    message: Message
    status_id: int
    error_id: int
    sent_at: datetime
    done_at: datetime
    attempt: Attempt | None

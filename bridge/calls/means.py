"""What attempts are made with."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.base.outbound import Outbound
from bridge.calls.pace import Pace
from bridge.calls.scripting import Scripts
from bridge.messages.routes import Routes
from bridge.recordings.files import RecordingFiles
from bridge.speech.speech import Speech
from bridge.store import Claim, Store
from bridge.telephony.events import Origination
from bridge.telephony.exchange import Exchange
from bridge.telephony.formats import Formats


@dataclass(frozen=True, slots=True)
class Means:
    """The rooms that an attempt needs.

    ``switchboards`` are by their names. ``spawn`` has something done that no call waits for.
    """

    store: Store
    switchboards: Mapping[str, Exchange]
    speech: Speech
    recordings: RecordingFiles
    outbound: Outbound
    routes: Routes
    scripts: Scripts
    pace: Pace
    formats: Formats
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    may_dial: Callable[[], bool]

    def origination(self, claim: Claim, record_to: Path | None) -> Origination:
        """What is asked of Asterisk for the present leg of an attempt."""
        content = claim.message.content
        return Origination(
            channel_id=claim.attempt.channel_id,
            number=claim.attempt.sent_to or claim.message.to,
            trunk=claim.attempt.trunk,
            caller_id=claim.attempt.sent_from,
            ring_timeout=content.ring_timeout,
            call_timeout=content.call_timeout,
            record_to=None if record_to is None else str(record_to),
            logged_as={"message": claim.message.id, "attempt": claim.attempt.id},
        )

"""The parts of the daemon that attempts work with."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bridge.base.outbound import Outbound
from bridge.calls.exchanges import Exchanges
from bridge.calls.pace import Pace
from bridge.calls.scripts import Scripts
from bridge.messages.routes import Routes
from bridge.recordings.files import RecordingFiles
from bridge.speech.speech import Speech
from bridge.store import Store
from bridge.telephony.formats import Formats


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What an attempt works with.

    ``spawn`` runs something that no call waits for. ``may_dial`` says whether anything may still be dialled.
    """

    store: Store
    exchanges: Exchanges
    speech: Speech
    recordings: RecordingFiles
    outbound: Outbound
    routes: Routes
    scripts: Scripts
    pace: Pace
    formats: Formats
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    may_dial: Callable[[], bool]

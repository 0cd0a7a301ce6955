"""A live leg, as the operations on it see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from bridge.base.tasks import Background
from bridge.calls.progress import CallProgress
from bridge.calls.prompts import Prompts
from bridge.recordings.of_call import CallRecordings
from bridge.scripts import events
from bridge.telephony.exchange import Channel
from bridge.telephony.formats import TrunkFormat

_T = TypeVar("_T")
Continuation = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class LiveLeg:
    """A channel, and all that the operations on it need. ``save`` stores the call's progress at once."""

    channel: Channel
    progress: CallProgress
    prompts: Prompts
    recordings: CallRecordings
    trunk: TrunkFormat
    save: Callable[[], Awaitable[None]]
    _background: Background = field(default_factory=lambda: Background("failed_during_the_call"))

    def post(self, what: events.Event | Continuation) -> None:
        """Queue an event for the script, or something to be done, after all that has happened on the channel."""
        self.channel.post(what)

    def meanwhile(self, work: Coroutine[Any, Any, _T], then: Callable[[_T | None], Awaitable[None]]) -> None:
        """Do slow work (the disk, the network, an engine) in the background; then have ``then`` called in turn.

        It is given the work's result, or None when that failed: the call goes on without it.
        """

        async def do() -> None:
            result = None
            try:
                result = await work
            finally:
                self.post(partial(then, result))

        self._background.begin(do())

    def close(self) -> None:
        """Cancel what goes on in the background: the call is over."""
        self._background.cancel()

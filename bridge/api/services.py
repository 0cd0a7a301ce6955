"""What the front desk needs of the house."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from bridge.api.members import Rules
from bridge.reports.recordings import RecordingFiles
from bridge.speech import Speech
from bridge.store import Store

Readiness = Callable[[], Awaitable[Mapping[str, str | None]]]
"""Tells of each part of the house (``asterisk``, ``store`` ...) what is wrong with it; None when nothing is."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers use; ``languages`` are the codes that ``speech`` speaks, in lower case.

    ``on_accepted`` is called when messages wait to be called, ``on_canceled`` with the ids of attempts that
    are to stop.
    """

    store: Store
    speech: Speech
    recordings: RecordingFiles
    languages: frozenset[str]
    on_accepted: Callable[[], None]
    on_canceled: Callable[[Collection[str]], Awaitable[None]]
    readiness: Readiness

    def rules(self) -> Rules:
        """What a request that comes now is checked against."""
        return Rules(languages=self.languages, speech=self.speech, now=datetime.now(UTC))


SERVICES = web.AppKey("services", Services)

ACCOUNT = web.RequestKey("account", str)
"""The account that the request's credentials opened."""

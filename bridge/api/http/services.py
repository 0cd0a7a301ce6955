"""What the handlers of the API use: store, speech, recordings and readiness."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from bridge.api.http.fields import Rules
from bridge.dialer.traffic import TrunkTraffic
from bridge.recordings.files import RecordingFiles
from bridge.speech.speech import Speech
from bridge.store import Store
from bridge.telephony.trunks import TrunkStanding


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether calls can be made.

    ``problems`` tells of each part of the daemon (``asterisk``, ``store`` ...) what is wrong with it; None when nothing
    is. ``trunks`` are the state and the calls of each trunk, by its name.
    """

    problems: Mapping[str, str | None]
    trunks: Mapping[str, tuple[TrunkStanding, TrunkTraffic]]


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers use; ``languages`` are the codes that ``speech`` speaks, in lower case.

    ``public_url`` is where the API is found, without a slash at its end; None when the operator has not said it.
    """

    store: Store
    speech: Speech
    recordings: RecordingFiles
    languages: frozenset[str]
    readiness: Callable[[], Awaitable[Readiness]]
    public_url: str | None

    def rules(self) -> Rules:
        """What a request that comes now is checked against."""
        return Rules(languages=self.languages, now=datetime.now(UTC))


SERVICES = web.AppKey("services", Services)

ACCOUNT = web.RequestKey("account", str)
"""The account that the request's credentials opened."""

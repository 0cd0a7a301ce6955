"""What the front desk needs of the house."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bridge.api.members import Rules
from bridge.recordings.files import RecordingFiles
from bridge.speech.speech import Speech
from bridge.store import Store


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether calls can be made.

    ``problems`` tells of each part of the house (``asterisk``, ``store`` ...) what is wrong with it; None when nothing
    is. ``trunks`` has the members of each trunk, by its name.
    """

    problems: Mapping[str, str | None]
    trunks: Mapping[str, Mapping[str, Any]]


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

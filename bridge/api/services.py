"""What the front desk needs of the house."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from bridge.api.members import Rules
from bridge.store import Store

Readiness = Callable[[], Awaitable[Mapping[str, str | None]]]
"""Tells of each part of the house (``asterisk``, ``store`` ...) what is wrong with it; None when nothing is."""


@dataclass(frozen=True, slots=True)
class Services:
    """``on_accepted`` is called when messages wait to be called; ``languages`` are codes in lower case."""

    store: Store
    languages: frozenset[str]
    on_accepted: Callable[[], None]
    readiness: Readiness

    def rules(self) -> Rules:
        """What a request that comes now is checked against."""
        return Rules(languages=self.languages, now=datetime.now(UTC))


SERVICES = web.AppKey("services", Services)

ACCOUNT = web.RequestKey("account", str)
"""The account that the request's credentials opened."""

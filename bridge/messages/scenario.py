"""IVR scenarios: stored scripts, launched by their id."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.messages.message import NotifyContentType


@dataclass(frozen=True, slots=True)
class ScenarioBody:
    """The members that an application writes; ``script`` is a list of actions as the request had it, checked."""

    name: str
    script: list[Any]
    description: str | None = None
    label: str | None = None
    notify_url: str | None = None
    notify_content_type: NotifyContentType | None = None
    record: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario of one account; ``used_at`` is when it was last launched."""

    id: str
    body: ScenarioBody
    created_at: datetime
    updated_at: datetime
    used_at: datetime | None = None


def new_scenario(body: ScenarioBody, now: datetime) -> Scenario:
    """A scenario with an id nobody else has: 32 upper-case hexadecimal digits."""
    return Scenario(secrets.token_hex(16).upper(), body, created_at=now, updated_at=now)

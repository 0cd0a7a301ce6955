"""A message as it was asked for: destination and times of its own, and the content that a request's messages share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

MachineDetection = Literal["disable", "hangup", "continue"]
NotifyContentType = Literal["application/json", "application/xml"]
Feature = Literal["voice-message", "ivr", "click-to-call"]


@dataclass(frozen=True, slots=True)
class Retry:
    """A message's own retry policy; periods in minutes, already rounded to those of ``retry.LADDER``."""

    min_period: int
    max_period: int
    max_count: int


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time of day in UTC."""

    hour: int
    minute: int


@dataclass(frozen=True, slots=True)
class DeliveryTimeWindow:
    """When calls may be made: ``days`` are 0 (Monday) to 6; without ``start`` and ``end`` the whole day counts."""

    days: frozenset[int]
    start: TimeOfDay | None = None
    end: TimeOfDay | None = None


@dataclass(frozen=True, slots=True)
class Notify:
    """Where the report is pushed to, and in which form (version 1 flat, 2 nested)."""

    url: str
    content_type: NotifyContentType = "application/json"
    version: Literal[1, 2] = 2

    @property
    def server(self) -> str:
        """Scheme, host and port of the URL: pushes to one slow server must not hold up those to others."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or ''}"


@dataclass(frozen=True, slots=True)
class Launch:
    """An IVR scenario as it was when it was launched, and the parameters that its script finds as variables."""

    scenario_id: str
    scenario_name: str
    script: list[Any]
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Connection:
    """The other side of a click-to-call: ``to`` is joined with the callee, and shown ``caller_id`` (both digits).

    Times are seconds. A tone warns ``warning_time`` before ``max_duration`` is over.
    """

    to: str
    caller_id: str | None
    max_duration: int | None = None
    warning_time: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What all destinations of one requested message share.

    ``actions``, ``action_groups``, ``call_transfers`` and the script of ``launch`` are JSON as the request had it,
    checked; ``bridge.scripts`` compiles it. ``launch`` is there for ``ivr``, ``connection`` for ``click-to-call``.
    Times are seconds. ``unreadable`` says that the store has it in a form that this version cannot carry out: only what
    could be read is here, and nobody is called for it.
    """

    feature: Feature = "voice-message"
    text: str | None = None
    audio_url: str | None = None
    language: str = "en"
    voice: str | None = None
    gender: str | None = None
    speech_rate: float = 1.0
    sensitive: bool = False
    pause: int = 0
    record: bool = False
    repeat_dtmf: str | None = None
    max_dtmf: int | None = None
    dtmf_timeout: int = 10
    ring_timeout: int = 45
    call_timeout: int | None = None
    machine_detection: MachineDetection = "disable"
    call_transfers: list[Any] = field(default_factory=list)
    actions: list[Any] = field(default_factory=list)
    action_groups: dict[str, Any] | list[Any] = field(default_factory=dict)
    launch: Launch | None = None
    connection: Connection | None = None
    retry: Retry | None = None
    window: DeliveryTimeWindow | None = None
    notify: Notify | None = None
    callback_data: str | None = None
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one destination. ``to`` and ``sender`` are digits; times are aware, in UTC."""

    id: str
    to: str
    sender: str | None
    content: Content
    send_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Bulk:
    """The messages of one request of one account."""

    id: str
    account: str
    created_at: datetime
    messages: list[Message]

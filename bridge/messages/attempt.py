"""One attempt to reach a callee: its legs, times and outcome, and what was played and keyed in. CDRs are made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bridge.messages.recording import Recording


@dataclass(frozen=True, slots=True)
class Spoken:
    """Something the callee was played from ``at`` on: by which engine and voice, its length, whether it was cached."""

    at: datetime
    engine: str
    voice: str
    seconds: float
    cached: bool


@dataclass(frozen=True, slots=True)
class Input:
    """Keys that the callee entered, when the input was complete, and the action groups that it chose."""

    at: datetime
    keys: str
    action: str | None
    groups: list[str]


@dataclass(frozen=True, slots=True)
class Collected:
    """A variable that the script collected for the report: its keys (masked if they must be), and their meaning."""

    variable: str
    keys: str
    meaning: str | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer: the telephones that were called to be joined with the callee.

    ``result`` is ``answered``, ``busy``, ``no-answer`` or ``failed``. ``number`` is the one that answered; the two were
    joined for ``seconds`` from ``answered_at`` on. ``sent_numbers`` is what the trunk was sent for ``numbers``,
    ``sent_from`` the caller id.
    """

    numbers: list[str]
    dialled_at: datetime
    result: str
    number: str | None = None
    answered_at: datetime | None = None
    seconds: float = 0.0
    sent_numbers: list[str] = field(default_factory=list)
    sent_from: str | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """An earlier leg of an attempt, whose trunk did not take the call: no telephone rang, and the next trunk was tried.

    ``cause`` is ITU-T Q.850. ``dialled`` is False when it is certain that Asterisk has never begun the call, ``unsent``
    says that the trunk's name led to no address.
    """

    trunk: str
    dialled_at: datetime
    ended_at: datetime
    cause: int
    sip_status: int | None = None
    dialled: bool = True
    unsent: bool = False
    sent_to: str | None = None
    sent_from: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to reach one number, finished or not.

    ``number`` counts the attempts of a message from 1. ``asterisk`` is the ``host:port`` of the AMI of the Asterisk
    that dials. ``trunk`` and ``dialled_at`` are those of the latest leg; ``refused`` are the legs before it. ``cause``
    is ITU-T Q.850. ``hung_up_by`` is ``callee`` or ``caller``, None when nobody can tell; ``answered_by`` is ``human``,
    ``machine`` or ``unknown``. ``limit_reached`` says which limit cut the script short: ``rounds`` or ``steps``.
    ``sent_to`` and ``sent_from`` are the number and the caller id as the trunk was sent them.
    """

    id: str
    message_id: str
    number: int
    node: str
    asterisk: str
    trunk: str
    sender: str | None
    to: str
    queued_at: datetime
    dialled_at: datetime
    sent_to: str | None = None
    sent_from: str | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int | None = None
    sip_status: int | None = None
    hung_up_by: str | None = None
    answered_by: str | None = None
    answered_by_reason: str | None = None
    status_id: int | None = None
    error_id: int | None = None
    spoken: list[Spoken] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    collected: list[Collected] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    limit_reached: str | None = None
    refused: list[Leg] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)

    @property
    def refusal(self) -> Leg | None:
        """The latest leg that was dialled and did not take the call."""
        return next((leg for leg in reversed(self.refused) if leg.dialled), None)

    @property
    def channel_id(self) -> str:
        """The unique id of the channel of its latest leg; no two legs share one."""
        return f"{self.id}-{len(self.refused)}" if self.refused else self.id

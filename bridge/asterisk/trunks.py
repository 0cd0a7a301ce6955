"""Watch over the trunks: whether they answer OPTIONS, and whether Asterisk is registered there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.ami.wire import Event
from bridge.asterisk.configuration import PROBE, Registration
from bridge.asterisk.resolving import has_address
from bridge.base.backoff import is_set_within
from bridge.telephony.causes import UNSENT
from bridge.telephony.errors import ExchangeError
from bridge.telephony.trunks import Qualify, RegistrationState, TrunkStanding

_LOOK_EVERY_SECONDS = 5.0
_TOLD_EVERY_SECONDS = 120.0
"""Asterisk tells of each registration at least as often: see ``3-registration.conf.in``."""

_BEST_QUALIFY: Sequence[Qualify] = ("reachable", "unreachable", "unresolved", "unknown")
_BEST_REGISTRATION: Sequence[RegistrationState | None] = ("registered", "unregistered", "rejected", None)
_STATES: Mapping[str, RegistrationState] = {"Registered": "registered", "Rejected": "rejected"}
"""The values of ``Status`` in the event ``Registry``; all others are ``unregistered``."""

_NOT_FROM_THE_TRUNK = ("0", "408", "503")
"""Statuses (``TechCause``) that Asterisk itself gives to a call on which nothing came, or which it could not send; a
trunk may send them as well."""

_log = structlog.get_logger(__name__)


class TrunkWatch:
    """Watches the trunks of a node on all its Asterisks while ``run`` runs.

    ``trunks`` are their names, each with its registration if it has one, ``hosts`` their hosts, as far as known.
    Asterisk tells of a registration when it refreshes it; what it told is left in a variable of Asterisk, for the next
    daemon. Asterisk is never asked for a list of registrations, since it tells the passwords with it, nor to register
    anew, since it unregisters first.
    """

    def __init__(
        self,
        links: Iterable[AmiLink],
        trunks: Mapping[str, Registration | None],
        hosts: Mapping[str, str] | None = None,
    ) -> None:
        self._asterisks = [_Asterisk(link, trunks, hosts or {}) for link in links]
        self._trunks = tuple(trunks)
        self._told: dict[str, TrunkStanding] = {}
        self._linked = asyncio.Event()
        for asterisk in self._asterisks:
            asterisk.link.subscribe(asterisk.take, self._linked.set)

    async def run(self) -> None:
        """Look every few seconds, and after each login, until cancelled."""
        while True:
            self._linked.clear()
            try:
                await self.look()
            except ExchangeError as error:
                _log.warning("trunks_not_seen", reason=error)
            self._tell()
            await is_set_within(self._linked, _LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """Ask each Asterisk once whether the trunks answer. Raises ``ExchangeError`` when one does not say."""
        await asyncio.gather(*(asterisk.look() for asterisk in self._asterisks if asterisk.link.connected))

    def standing(self, trunk: str) -> TrunkStanding:
        """The best that any connected Asterisk says of the trunk."""
        told = [asterisk.standing(trunk) for asterisk in self._asterisks if asterisk.link.connected]
        return TrunkStanding(
            qualify=min((one.qualify for one in told), key=_BEST_QUALIFY.index, default="unknown"),
            registration=min((one.registration for one in told), key=_BEST_REGISTRATION.index, default=None),
        )

    def is_down(self, trunk: str) -> bool:
        """Whether calls had better go over another trunk: Asterisk is not registered there, or OPTIONS stay unanswered.

        A trunk that has never answered OPTIONS may be one that answers calls only.
        """
        standing = self.standing(trunk)
        has_answered = any(trunk in asterisk.answering for asterisk in self._asterisks)
        return (standing.is_silent and has_answered) or not standing.usable

    @property
    def problem(self) -> str | None:
        """Why no call can go out over any trunk; None when it can over one of them."""
        standings = {trunk: self.standing(trunk) for trunk in self._trunks}
        unresolved = [trunk for trunk, standing in standings.items() if standing.qualify == "unresolved"]
        others = {trunk: standing for trunk, standing in standings.items() if trunk not in unresolved}
        if any(standing.usable for standing in others.values()):
            return None
        told = ", ".join(f"{trunk} {standing.registration}" for trunk, standing in others.items())
        problems = [f"Asterisk is not registered: {told}"] if others else []
        return "; ".join([*problems, *(f"the name of trunk {trunk} leads to no address" for trunk in unresolved)])

    def _tell(self) -> None:
        for trunk in self._trunks:
            now = self.standing(trunk)
            if now != self._told.get(trunk):
                self._told[trunk] = now
                _log.info("trunk", name=trunk, qualify=now.qualify, registration=now.registration)


@dataclass(slots=True)
class _Asterisk:
    """What one Asterisk told of the trunks.

    ``unsent`` are those for whose latest call it found no address, ``heard`` those that sent something on a call.
    """

    link: AmiLink
    trunks: Mapping[str, Registration | None]
    hosts: Mapping[str, str]
    unsent: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    qualify: dict[str, Qualify] = field(default_factory=dict)
    answering: set[str] = field(default_factory=set)
    registrations: dict[Registration, RegistrationState] = field(default_factory=dict)

    def standing(self, trunk: str) -> TrunkStanding:
        registration = self.trunks[trunk]
        return TrunkStanding(
            qualify=self.qualify.get(trunk, "unknown"),
            registration=self.registrations.get(registration) if registration else None,
        )

    def take(self, event: Event) -> None:
        if event.get("Event") == "Registry":
            registration = Registration(server_uri=event.get("Domain", ""), client_uri=event.get("Username", ""))
            status = event.get("Status", "")
            self._hear(registration, status)
            for trunk, wanted in self.trunks.items():
                if wanted == registration:
                    self.link.post("Setvar", Variable=_heard_of(trunk), Value=f"{time.time():.0f} {status}")
        elif event.get("Event") in ("Newstate", "Hangup"):
            self._hear_of_call(event)

    def _hear_of_call(self, event: Event) -> None:
        trunk = event.get("Channel", "").removeprefix("PJSIP/").rpartition("-")[0]
        if event.get("Language") == UNSENT:
            self.unsent.add(trunk)
        elif event["Event"] == "Newstate" or event.get("TechCause", "0") not in _NOT_FROM_THE_TRUNK:
            self.unsent.discard(trunk)
            self.heard.add(trunk)

    def _hear(self, registration: Registration, status: str) -> None:
        self.registrations[registration] = _STATES.get(status, "unregistered")

    async def look(self) -> None:
        for trunk, registration in self.trunks.items():
            if registration and registration not in self.registrations:
                await self._recall(trunk, registration)
        states = await asyncio.gather(*map(self._state, self.trunks))
        self.qualify = dict(zip(self.trunks, states, strict=True))
        self.answering.update(trunk for trunk, state in self.qualify.items() if state == "reachable")

    async def _recall(self, trunk: str, registration: Registration) -> None:
        """Take over what the daemon before this one heard, unless it is so old that Asterisk must have told anew."""
        told = (await self.link.send("Getvar", Variable=_heard_of(trunk)))["Value"]
        heard_at, _, status = told.partition(" ")
        if status and registration not in self.registrations and time.time() - float(heard_at) < _TOLD_EVERY_SECONDS:
            self._hear(registration, status)

    async def _state(self, trunk: str) -> Qualify:
        """What the trunk's probe says; a trunk that ``asterisk-config`` did not write has none, and is asked itself.

        A silent trunk is asked again at once, so that it is soon known when it is back.
        """
        for endpoint in (f"{trunk}{PROBE}", trunk):
            state = (await self.link.send("Getvar", Variable=f"DEVICE_STATE(PJSIP/{endpoint})"))["Value"]
            if state == "UNAVAILABLE":
                await self.link.send("PJSIPQualify", Endpoint=endpoint)
                return "unreachable" if await self._has_address(trunk) else "unresolved"
            if state != "INVALID" and endpoint == trunk:
                return "unresolved" if trunk in self.unsent else "reachable"
            if state != "INVALID":
                self.unsent.discard(trunk)
                return "reachable"
        return "unknown"

    async def _has_address(self, trunk: str) -> bool:
        """Whether Asterisk finds an address for a trunk that does not answer: by its latest call, else by its name."""
        if trunk in self.unsent:
            return False
        return trunk in self.heard or trunk not in self.hosts or await has_address(self.hosts[trunk])


def _heard_of(trunk: str) -> str:
    """The global variable of Asterisk that has what was last heard of a trunk's registration, and when."""
    return f"VOICEBRIDGE_REGISTRATION_{trunk}"

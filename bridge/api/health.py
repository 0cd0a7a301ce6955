"""``GET /healthz`` and ``/readyz``: open to everyone, for load balancers and container engines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from aiohttp import web
from typing_extensions import TypedDict

from bridge.api.http.errors import ErrorAnswer, Refused, error_answer
from bridge.api.http.routes import Route
from bridge.api.http.services import SERVICES
from bridge.dialer.traffic import TrunkTraffic
from bridge.telephony.trunks import Qualify, RegistrationState, TrunkStanding


class HealthAnswer(TypedDict):
    """The daemon answers."""

    status: Literal["ok"]


class TrunkMembers(TypedDict):
    """One trunk: whether it answers, whether Asterisk is registered there, and the calls of this node.

    ``heldByOwnLimit`` counts how often due messages waited for our own limit, ``refusedByCarrier`` the calls that the
    trunk refused, both since the daemon's start.
    """

    qualify: Qualify
    registration: RegistrationState | None
    calls: int
    callsPerSecond: float
    heldByOwnLimit: int
    refusedByCarrier: int


class ReadinessAnswer(TypedDict):
    """Whether calls can be made: what is wrong with each part of the house, ``ok`` when nothing is, and each trunk."""

    status: Literal["ready", "not ready"]
    checks: dict[str, str]
    trunks: Mapping[str, TrunkMembers]


class NotReadyAnswer(ReadinessAnswer, ErrorAnswer):
    """As for one that is ready, and the parts that are missing as an error."""


class NotReady(Refused):
    """Calls cannot be made."""

    id: ClassVar[str] = "SERVICE_UNAVAILABLE"
    http_status: ClassVar[int] = 503
    answer: ClassVar[type[NotReadyAnswer]] = NotReadyAnswer

    def __init__(self, text: str, readiness: ReadinessAnswer) -> None:
        super().__init__(text)
        self._readiness = readiness

    @property
    def body(self) -> NotReadyAnswer:
        return {**self._readiness, **error_answer(self.id, str(self))}


async def healthz(_request: web.Request) -> HealthAnswer:
    """200 as long as the daemon answers at all."""
    return {"status": "ok"}


async def readyz(request: web.Request) -> ReadinessAnswer:
    """200 when calls can be made, else 503 that names the part which cannot."""
    readiness = await request.app[SERVICES].readiness()
    problems = [f"{part}: {problem}" for part, problem in readiness.problems.items() if problem]
    answer: ReadinessAnswer = {
        "status": "not ready" if problems else "ready",
        "checks": {part: problem or "ok" for part, problem in readiness.problems.items()},
        "trunks": {name: _trunk(*trunk) for name, trunk in readiness.trunks.items()},
    }
    if problems:
        raise NotReady("; ".join(problems), answer)
    return answer


def _trunk(standing: TrunkStanding, traffic: TrunkTraffic) -> TrunkMembers:
    return {
        "qualify": standing.qualify,
        "registration": standing.registration,
        "calls": traffic.calls,
        "callsPerSecond": round(traffic.calls_per_second, 3),
        "heldByOwnLimit": traffic.held_by_own_limit,
        "refusedByCarrier": traffic.refused_by_carrier,
    }


ROUTES = (
    Route("GET", "/healthz", healthz, is_open=True),
    Route("GET", "/readyz", readyz, refusals=[NotReady], is_open=True),
)

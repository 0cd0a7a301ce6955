"""``GET /healthz`` and ``/readyz``: open to everyone, for load balancers and container engines."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bridge.api.http.errors import error_body
from bridge.api.http.services import SERVICES
from bridge.dialer.traffic import TrunkTraffic
from bridge.telephony.trunks import TrunkStanding


async def healthz(_request: web.Request) -> web.Response:
    """200 as long as the daemon answers at all."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """200 when calls can be made, else 503 that names the part which cannot."""
    readiness = await request.app[SERVICES].readiness()
    problems = {part: problem for part, problem in readiness.problems.items() if problem}
    body: dict[str, Any] = {
        "status": "not ready" if problems else "ready",
        "checks": {part: problem or "ok" for part, problem in readiness.problems.items()},
        "trunks": readiness.trunks,
    }
    if problems:
        text = "; ".join(f"{part}: {problem}" for part, problem in problems.items())
        return web.json_response(body | error_body("SERVICE_UNAVAILABLE", text), status=503)
    return web.json_response(body)


def trunk_members(standing: TrunkStanding, traffic: TrunkTraffic) -> dict[str, Any]:
    """One trunk: whether it answers, whether Asterisk is registered there, and the calls of this node.

    ``heldByOwnLimit`` counts how often due messages waited for our own limit, ``refusedByCarrier`` the calls that the
    trunk refused, both since the daemon's start.
    """
    return {
        "qualify": standing.qualify,
        "registration": standing.registration,
        "calls": traffic.calls,
        "callsPerSecond": round(traffic.calls_per_second, 3),
        "heldByOwnLimit": traffic.held_by_own_limit,
        "refusedByCarrier": traffic.refused_by_carrier,
    }


_TRUNK = {
    "type": "object",
    "properties": {
        "qualify": {"type": "string", "enum": ["reachable", "unreachable", "unresolved", "unknown"]},
        "registration": {"enum": ["registered", "unregistered", "rejected", None]},
        "calls": {"type": "integer", "minimum": 0},
        "callsPerSecond": {"type": "number"},
        "heldByOwnLimit": {"type": "integer", "minimum": 0},
        "refusedByCarrier": {"type": "integer", "minimum": 0},
    },
}

READINESS = {
    "type": "object",
    "required": ["status", "checks", "trunks"],
    "properties": {
        "status": {"enum": ["ready", "not ready"]},
        "checks": {"type": "object", "additionalProperties": {"type": "string"}},
        "trunks": {"type": "object", "additionalProperties": _TRUNK},
    },
}
"""The body of ``GET /readyz``; with 503 it has the members of an error as well."""

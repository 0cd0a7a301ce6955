"""``GET /healthz`` and ``/readyz``: open to everyone, for load balancers and container engines."""

from __future__ import annotations

from aiohttp import web

from bridge.api.errors import error_body
from bridge.api.services import SERVICES


async def healthz(_request: web.Request) -> web.Response:
    """200 as long as the daemon answers at all."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """200 when calls can be made, else 503 that names the part which cannot."""
    problems = await request.app[SERVICES].readiness()
    checks = {part: problem or "ok" for part, problem in problems.items()}
    if not any(problems.values()):
        return web.json_response({"status": "ready", "checks": checks})
    text = "; ".join(f"{part}: {problem}" for part, problem in problems.items() if problem)
    return web.json_response(
        {"status": "not ready", "checks": checks, **error_body("SERVICE_UNAVAILABLE", text)}, status=503
    )

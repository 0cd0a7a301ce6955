"""Requests of a script to an application, and their answers."""

from __future__ import annotations

import json
import math
from typing import Any

import structlog

from bridge.base.outbound import Outbound, OutboundFailed, OutboundRefused
from bridge.scripts.limits import RESPONSE_WAIT
from bridge.scripts.verbs.request import Request, Responded

SECONDS = 10.0
AWAITED_SECONDS = RESPONSE_WAIT - 0.2
"""Shorter than a script waits for an answer: it is told in time what has come of one that is not complete."""

MOST_BYTES = 65_536

_log = structlog.get_logger(__name__)


async def send_request(outbound: Outbound, request: Request) -> Responded:
    """Send a request; return its status, and the strings, numbers and booleans of a JSON object in the answer.

    Without an answer the status is None. An answer that breaks off after its status line has that status, and the
    members of what came of it. Raises nothing.
    """
    headers = dict(request.headers)
    body = None if request.body is None else request.body.encode()
    seconds = AWAITED_SECONDS if request.awaited else SECONDS
    try:
        response = await outbound.fetch(
            request.method, request.url, headers=headers, body=body, most_bytes=MOST_BYTES, timeout=seconds
        )
    except (OutboundFailed, OutboundRefused) as error:
        _log.warning("request_of_script_failed", method=request.method, reason=error)
        return Responded(request.id, None)
    _log.info("request_of_script", method=request.method, status=response.status, broken=response.broken)
    return Responded(request.id, response.status, _members(response.body))


def _members(body: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(decoded, dict):
        return {}
    return {name: value for name, value in decoded.items() if _is_kept(value)}


def _is_kept(value: Any) -> bool:
    """Whether a variable can hold it and JSON write it: no list, no object, no NaN, nothing beyond a double."""
    try:
        return isinstance(value, str) or (isinstance(value, int | float) and math.isfinite(value))
    except OverflowError:
        return False

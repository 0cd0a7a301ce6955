"""What a script tells an application, and what that answers."""

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
"""What an answer had said until then is told in time to a script that waits for all of it."""

MOST_BYTES = 65_536

_log = structlog.get_logger(__name__)


async def send_request(outbound: Outbound, request: Request) -> Responded:
    """The status, and the texts, numbers and truths of a JSON object; no status without an answer. Raises nothing.

    An answer that breaks off behind its status line has that status, and the members of as much as came.
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
    """What a variable can hold, and JSON again: no list, no object, no NaN, nothing beyond a double."""
    try:
        return isinstance(value, str) or (isinstance(value, int | float) and math.isfinite(value))
    except OverflowError:
        return False

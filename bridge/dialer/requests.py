"""What a script tells an application, and what that answers."""

from __future__ import annotations

import json
from typing import Any

import structlog

from bridge.outbound import Outbound, OutboundFailed, OutboundRefused
from bridge.scripts import commands, events

SECONDS = 10.0
MOST_BYTES = 65_536

_log = structlog.get_logger(__name__)


async def send_request(outbound: Outbound, request: commands.Request) -> events.Responded:
    """The status and, of a JSON object, the members; no status when there was no answer. Raises nothing."""
    headers = dict(request.headers)
    body = None if request.body is None else request.body.encode()
    try:
        response = await outbound.fetch(
            request.method, request.url, headers=headers, body=body, most_bytes=MOST_BYTES, timeout=SECONDS
        )
    except (OutboundFailed, OutboundRefused) as error:
        _log.warning("request_of_script_failed", method=request.method, reason=str(error))
        return events.Responded(request.id, None)
    _log.info("request_of_script", method=request.method, status=response.status)
    return events.Responded(request.id, response.status, _members(response.body))


def _members(body: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}

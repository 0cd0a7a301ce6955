"""``GET /tts/3/reports`` and ``/voice/1/reports``: each delivery report, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from bridge.api.errors import BadRequest
from bridge.api.services import ACCOUNT, SERVICES
from bridge.messages.progress import Report
from bridge.reports.v1 import report_v1
from bridge.reports.v2 import report_v2

_USUAL_LIMIT, _HIGHEST_LIMIT = 50, 1000


async def get_reports_v1(request: web.Request) -> web.Response:
    """Reports in their flat form."""
    return await _take(request, report_v1)


async def get_reports_v2(request: web.Request) -> web.Response:
    """Reports in their nested form."""
    return await _take(request, report_v2)


async def _take(request: web.Request, form: Callable[[Report], dict[str, Any]]) -> web.Response:
    reports = await request.app[SERVICES].store.take_reports(
        request[ACCOUNT],
        bulk_id=request.query.get("bulkId") or None,
        message_id=request.query.get("messageId") or None,
        limit=_limit(request.query.get("limit", str(_USUAL_LIMIT))),
    )
    return web.json_response({"results": [form(report) for report in reports]})


def _limit(text: str) -> int:
    """A higher limit than the highest is taken for it. Raises BadRequest for one that is no number from 1 on."""
    if not (text.isascii() and text.isdigit() and text.strip("0")):
        raise BadRequest("the query breaks a rule", {"limit": ["must be a number from 1 on"]})
    return min(int(text[:9]), _HIGHEST_LIMIT)

"""``GET /tts/3/reports`` and ``/voice/1/reports``: each delivery report, once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import web

from bridge.api import queries
from bridge.api.answers import list_answer
from bridge.api.own_address import own_address
from bridge.api.services import ACCOUNT, SERVICES
from bridge.messages.progress import Report
from bridge.reports.v1 import report_v1
from bridge.reports.v2 import report_v2


async def get_reports_v1(request: web.Request) -> web.StreamResponse:
    """Reports in their flat form."""
    return await _take(request, partial(report_v1, at=own_address(request)))


async def get_reports_v2(request: web.Request) -> web.StreamResponse:
    """Reports in their nested form."""
    return await _take(request, report_v2)


async def _take(request: web.Request, form: Callable[[Report], dict[str, Any]]) -> web.StreamResponse:
    reports = await request.app[SERVICES].store.reports.take(
        request[ACCOUNT],
        bulk_id=request.query.get("bulkId") or None,
        message_id=request.query.get("messageId") or None,
        limit=queries.limit(request),
    )
    return await list_answer(request, "results", reports, form)

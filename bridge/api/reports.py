"""``GET /tts/3/reports`` and ``/voice/1/reports``: each delivery report, once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from aiohttp import web
from typing_extensions import TypedDict

from bridge.api.http import queries
from bridge.api.http.answers import Each
from bridge.api.http.own_address import own_address
from bridge.api.http.routes import Route
from bridge.api.http.services import ACCOUNT, SERVICES
from bridge.messages.progress import Report
from bridge.reports.v1 import ReportV1, report_v1
from bridge.reports.v2 import ReportV2, report_v2

_BULK_ID = queries.Optional("bulkId", str)
_MESSAGE_ID = queries.Optional("messageId", str)


class ReportsV1Answer(TypedDict):
    """Reports in their flat form."""

    results: Sequence[ReportV1]


class ReportsV2Answer(TypedDict):
    """Reports in their nested form."""

    results: Sequence[ReportV2]


async def get_reports_v1(request: web.Request) -> ReportsV1Answer:
    """Reports in their flat form."""
    return {"results": Each(await _taken(request), partial(report_v1, at=own_address(request)))}


async def get_reports_v2(request: web.Request) -> ReportsV2Answer:
    """Reports in their nested form."""
    return {"results": Each(await _taken(request), report_v2)}


async def _taken(request: web.Request) -> list[Report]:
    return await request.app[SERVICES].store.reports.take(
        request[ACCOUNT],
        bulk_id=_BULK_ID.of(request),
        message_id=_MESSAGE_ID.of(request),
        limit=queries.LIMIT.of(request),
    )


_QUERY = (_BULK_ID, _MESSAGE_ID, queries.LIMIT)

# A HEAD would take reports that nobody gets to see.
ROUTES = (
    Route("GET", "/tts/3/reports", get_reports_v1, query=_QUERY, has_head=False),
    Route("GET", "/voice/1/reports", get_reports_v2, query=_QUERY, has_head=False),
)

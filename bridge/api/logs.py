"""``GET /tts/3/logs``: what was sent in the last 48 hours, as often as it is asked for (wire contract, section 3.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiohttp import web

from bridge.api import queries
from bridge.api.answers import list_answer
from bridge.api.services import ACCOUNT, SERVICES
from bridge.messages.statuses import STATUS_GROUPS, statuses
from bridge.reports.log import log_entry
from bridge.store import LogFilter
from bridge.telephony.numbers import parse_number, parse_sender

_KEPT = timedelta(hours=48)

_SHOWN = timedelta(milliseconds=1)
"""Times are shown in whole milliseconds: one that was read in a log and is sent back must find its message."""


async def get_logs(request: web.Request) -> web.StreamResponse:
    """Messages that were sent, those sent last in front."""
    wanted, limit = _filter(request, datetime.now(UTC)), queries.limit(request)
    # Through which network a call went is not known here, so no message is of the network that is asked for.
    if request.query.get("mcc") or request.query.get("mnc"):
        return web.json_response({"results": []})
    found = await request.app[SERVICES].store.messages.logs(request[ACCOUNT], wanted, limit)
    return await list_answer(request, "results", found, lambda message: log_entry(*message))


def _filter(request: web.Request, now: datetime) -> LogFilter:
    since = queries.optional(request, "sentSince", queries.moment)
    until = queries.optional(request, "sentUntil", queries.moment)
    return LogFilter(
        since=max(since or now - _KEPT, now - _KEPT),
        until=min(until or now, now) + _SHOWN,
        sender=queries.optional(request, "from", parse_sender),
        to=queries.optional(request, "to", parse_number),
        bulk_ids=request.query.getall("bulkId", []),
        message_ids=request.query.getall("messageId", []),
        status_ids=queries.optional(request, "generalStatus", _statuses_of_group) or (),
    )


def _statuses_of_group(name: str) -> list[int]:
    group = name.upper()
    if group not in STATUS_GROUPS:
        raise ValueError(f"must be one of {', '.join(STATUS_GROUPS)}")
    return [status.id for status in statuses() if status.group == group]

"""``GET /tts/3/logs``: messages of the last 48 hours, to be read any number of times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aiohttp import web
from typing_extensions import TypedDict

from bridge.api.http import queries
from bridge.api.http.answers import Each
from bridge.api.http.routes import Route
from bridge.api.http.services import ACCOUNT, SERVICES
from bridge.messages.statuses import STATUS_GROUPS, statuses
from bridge.reports.log import LogEntry, log_entry
from bridge.store import LogFilter
from bridge.telephony.numbers import parse_number, parse_sender

_KEPT = timedelta(hours=48)

_SHOWN = timedelta(milliseconds=1)
"""Times are shown in whole milliseconds: one read in a log and sent back as ``sentUntil`` must find its message."""


def _statuses_of_group(name: str) -> list[int]:
    group = name.upper()
    if group not in STATUS_GROUPS:
        raise ValueError(f"must be one of {', '.join(STATUS_GROUPS)}")
    return [status.id for status in statuses() if status.group == group]


_FROM = queries.Optional("from", parse_sender)
_TO = queries.Optional("to", parse_number)
_BULK_IDS = queries.Several("bulkId")
_MESSAGE_IDS = queries.Several("messageId")
_STATUS = queries.Optional("generalStatus", _statuses_of_group, {"type": "string", "enum": list(STATUS_GROUPS)})
_SINCE = queries.Optional("sentSince", queries.moment, queries.TIME)
_UNTIL = queries.Optional("sentUntil", queries.moment, queries.TIME)
_MCC = queries.Optional("mcc", str)
_MNC = queries.Optional("mnc", str)


class LogsAnswer(TypedDict):
    """Messages that were sent, those sent last in front."""

    results: Sequence[LogEntry]


async def get_logs(request: web.Request) -> LogsAnswer:
    """Messages that were sent, those sent last in front."""
    wanted, limit = _filter(request, datetime.now(UTC)), queries.LIMIT.of(request)
    # The mobile network of a call (MCC, MNC) is not known here, so no message matches one.
    if _MCC.of(request) or _MNC.of(request):
        return {"results": []}
    found = await request.app[SERVICES].store.messages.logs(request[ACCOUNT], wanted, limit)
    return {"results": Each(found, lambda message: log_entry(*message))}


def _filter(request: web.Request, now: datetime) -> LogFilter:
    since, until = _SINCE.of(request), _UNTIL.of(request)
    return LogFilter(
        since=max(since or now - _KEPT, now - _KEPT),
        until=min(until or now, now) + _SHOWN,
        sender=_FROM.of(request),
        to=_TO.of(request),
        bulk_ids=_BULK_IDS.of(request),
        message_ids=_MESSAGE_IDS.of(request),
        status_ids=_STATUS.of(request) or (),
    )


_QUERY = (_FROM, _TO, _BULK_IDS, _MESSAGE_IDS, _STATUS, _SINCE, _UNTIL, queries.LIMIT, _MCC, _MNC)

ROUTES = (Route("GET", "/tts/3/logs", get_logs, query=_QUERY),)

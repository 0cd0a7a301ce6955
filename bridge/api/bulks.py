"""``/tts/3/bulks`` and ``/tts/3/bulks/status``: to reschedule, pause and cancel bulks."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BeforeValidator
from typing_extensions import TypedDict

from bridge.api.http import queries
from bridge.api.http.errors import BulkOverRefused, NotFound
from bridge.api.http.fields import Moment, RequestModel
from bridge.api.http.reading import read, read_body
from bridge.api.http.routes import Route
from bridge.api.http.services import ACCOUNT, SERVICES
from bridge.messages.bulks import BulkStatus
from bridge.reports.members import WireTime, wire_time
from bridge.store import BulkOver, BulkStanding, Store

_BULK_ID = queries.Required("bulkId")


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


class Rescheduling(RequestModel):
    send_at: Moment


class StatusChange(RequestModel):
    """PENDING and PROCESSING both mean that a paused bulk is to go on."""

    status: Annotated[Literal["PENDING", "PROCESSING", "PAUSED", "CANCELED"], BeforeValidator(_upper)]


class BulkTimeAnswer(TypedDict):
    """When a bulk is sent."""

    bulkId: str
    sendAt: WireTime


class BulkStatusAnswer(TypedDict):
    """Where a bulk stands."""

    bulkId: str
    status: BulkStatus


async def get_bulk(request: web.Request) -> BulkTimeAnswer:
    """When a bulk is sent."""
    return _time_answer(request, await _bulk(request))


async def get_bulk_status(request: web.Request) -> BulkStatusAnswer:
    """Where a bulk stands."""
    return _status_answer(request, await _bulk(request))


async def put_bulk(request: web.Request) -> BulkTimeAnswer:
    """Send what waits of a bulk at another time."""
    bulk_id, store = _BULK_ID.of(request), request.app[SERVICES].store
    wanted, now = await read_body(request, lambda body, rules: (read(Rescheduling, body, rules), rules.now))
    try:
        bulk = await store.bulks.reschedule(request[ACCOUNT], bulk_id, max(wanted.send_at, now))
    except BulkOver as error:
        raise BulkOverRefused(str(error)) from error
    return _time_answer(request, bulk)


async def put_bulk_status(request: web.Request) -> BulkStatusAnswer:
    """Pause a bulk, let it go on, or cancel it."""
    bulk_id, store = _BULK_ID.of(request), request.app[SERVICES].store
    wanted = await read_body(request, lambda body, rules: read(StatusChange, body, rules))
    try:
        bulk = await _change(store, request[ACCOUNT], bulk_id, BulkStatus(wanted.status))
    except BulkOver as error:
        raise BulkOverRefused(str(error)) from error
    return _status_answer(request, bulk)


async def _change(store: Store, account: str, bulk_id: str, wanted: BulkStatus) -> BulkStanding | None:
    match wanted:
        case BulkStatus.PAUSED:
            return await store.bulks.pause(account, bulk_id)
        case BulkStatus.CANCELED:
            return await store.bulks.cancel(account, bulk_id)
        case _:
            return await store.bulks.resume(account, bulk_id)


async def _bulk(request: web.Request) -> BulkStanding | None:
    return await request.app[SERVICES].store.bulks.standing(request[ACCOUNT], _BULK_ID.of(request))


def _time_answer(request: web.Request, bulk: BulkStanding | None) -> BulkTimeAnswer:
    bulk_id = _BULK_ID.of(request)
    return {"bulkId": bulk_id, "sendAt": wire_time(_known(bulk, bulk_id).send_at)}


def _status_answer(request: web.Request, bulk: BulkStanding | None) -> BulkStatusAnswer:
    bulk_id = _BULK_ID.of(request)
    return {"bulkId": bulk_id, "status": _known(bulk, bulk_id).status}


def _known(bulk: BulkStanding | None, bulk_id: str) -> BulkStanding:
    if bulk is None:
        raise NotFound(f"there is no bulk with the id {bulk_id}")
    return bulk


_CHANGING = (NotFound, BulkOverRefused)

ROUTES = (
    Route("GET", "/tts/3/bulks", get_bulk, query=[_BULK_ID], refusals=[NotFound]),
    Route("PUT", "/tts/3/bulks", put_bulk, Rescheduling, [_BULK_ID], refusals=_CHANGING),
    Route("GET", "/tts/3/bulks/status", get_bulk_status, query=[_BULK_ID], refusals=[NotFound]),
    Route("PUT", "/tts/3/bulks/status", put_bulk_status, StatusChange, [_BULK_ID], refusals=_CHANGING),
)

"""``/tts/3/bulks`` and ``/tts/3/bulks/status``: bulks are moved, paused and canceled (wire contract, section 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BeforeValidator

from bridge.api import queries
from bridge.api.errors import BulkOverRefused, NotFound
from bridge.api.members import Members, Moment
from bridge.api.reading import read, read_body
from bridge.api.services import ACCOUNT, SERVICES
from bridge.messages.bulks import BulkStatus
from bridge.reports.members import wire_time
from bridge.store import BulkOver, BulkStanding, Store


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


class Rescheduling(Members):
    send_at: Moment


class StatusChange(Members):
    """PENDING and PROCESSING both mean that a paused bulk is to go on."""

    status: Annotated[Literal["PENDING", "PROCESSING", "PAUSED", "CANCELED"], BeforeValidator(_upper)]


async def get_bulk(request: web.Request) -> web.Response:
    """When a bulk is sent."""
    return _send_at(request, await _bulk(request))


async def get_bulk_status(request: web.Request) -> web.Response:
    """Where a bulk stands."""
    return _status(request, await _bulk(request))


async def put_bulk(request: web.Request) -> web.Response:
    """Send what waits of a bulk at another time."""
    bulk_id, store = queries.required(request, "bulkId"), request.app[SERVICES].store
    wanted, now = await read_body(request, lambda body, rules: (read(Rescheduling, body, rules), rules.now))
    try:
        bulk = await store.bulks.reschedule(request[ACCOUNT], bulk_id, max(wanted.send_at, now))
    except BulkOver as error:
        raise BulkOverRefused(str(error)) from error
    return _send_at(request, bulk)


async def put_bulk_status(request: web.Request) -> web.Response:
    """Pause a bulk, let it go on, or cancel it."""
    bulk_id, store = queries.required(request, "bulkId"), request.app[SERVICES].store
    wanted = await read_body(request, lambda body, rules: read(StatusChange, body, rules))
    try:
        bulk = await _change(store, request[ACCOUNT], bulk_id, BulkStatus(wanted.status))
    except BulkOver as error:
        raise BulkOverRefused(str(error)) from error
    return _status(request, bulk)


async def _change(store: Store, account: str, bulk_id: str, wanted: BulkStatus) -> BulkStanding | None:
    match wanted:
        case BulkStatus.PAUSED:
            return await store.bulks.pause(account, bulk_id)
        case BulkStatus.CANCELED:
            return await store.bulks.cancel(account, bulk_id)
        case _:
            return await store.bulks.resume(account, bulk_id)


async def _bulk(request: web.Request) -> BulkStanding | None:
    return await request.app[SERVICES].store.bulks.standing(request[ACCOUNT], queries.required(request, "bulkId"))


def _send_at(request: web.Request, bulk: BulkStanding | None) -> web.Response:
    return _answer(request, bulk, lambda known: {"sendAt": wire_time(known.send_at)})


def _status(request: web.Request, bulk: BulkStanding | None) -> web.Response:
    return _answer(request, bulk, lambda known: {"status": known.status})


def _answer(
    request: web.Request, bulk: BulkStanding | None, members: Callable[[BulkStanding], dict[str, str]]
) -> web.Response:
    bulk_id = request.query["bulkId"]
    if bulk is None:
        raise NotFound(f"there is no bulk with the id {bulk_id}")
    return web.json_response({"bulkId": bulk_id, **members(bulk)})

"""``POST /tts/3/single``, ``/tts/3/multi`` and ``/tts/3/advanced``: messages are taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web
from pydantic_core import to_json

from bridge.api.advanced import AdvancedRequest
from bridge.api.errors import BadRequest, DuplicateRefused
from bridge.api.members import Rules
from bridge.api.orders import advanced_orders, simple_order
from bridge.api.reading import read
from bridge.api.requests import MultiRequest, SimpleMessage
from bridge.api.scripting import refuse_bad_scripts
from bridge.api.services import ACCOUNT, SERVICES
from bridge.messages.expansion import expand
from bridge.messages.message import Bulk
from bridge.messages.statuses import PENDING_ACCEPTED
from bridge.reports.members import status_members
from bridge.store import DuplicateId

_ToBulk = Callable[[bytes, Rules, str], Bulk]

_SMALL_BODY = 16_000
"""Bytes; a larger body is read beside the event loop, so that live calls do not wait for it."""


async def send_single(request: web.Request) -> web.Response:
    """One text, normally to one number."""
    return await _take_in(request, _single)


async def send_multi(request: web.Request) -> web.Response:
    """Several texts, each to one or more numbers."""
    return await _take_in(request, _multi)


async def send_advanced(request: web.Request) -> web.Response:
    """Fully featured messages."""
    return await _take_in(request, _advanced)


def _single(body: bytes, rules: Rules, account: str) -> Bulk:
    message = read(SimpleMessage, body, rules)
    return expand([simple_order(message)], account=account, now=rules.now)


def _multi(body: bytes, rules: Rules, account: str) -> Bulk:
    wanted = read(MultiRequest, body, rules)
    return expand([simple_order(message) for message in wanted.messages], account=account, now=rules.now)


def _advanced(body: bytes, rules: Rules, account: str) -> Bulk:
    wanted = read(AdvancedRequest, body, rules)
    orders = advanced_orders(wanted)
    refuse_bad_scripts(wanted, orders, rules.languages)
    return expand(orders, account=account, now=rules.now, bulk_id=wanted.bulk_id)


async def _take_in(request: web.Request, to_bulk: _ToBulk) -> web.Response:
    if not _is_json(request):
        raise BadRequest(f"the content type {request.content_type} is not known; send application/json")
    services = request.app[SERVICES]
    body = await request.read()
    wanted = body, services.rules(), request[ACCOUNT]
    bulk = to_bulk(*wanted) if len(body) <= _SMALL_BODY else await asyncio.to_thread(to_bulk, *wanted)
    try:
        await services.store.accept(bulk)
    except DuplicateId as error:
        raise DuplicateRefused(str(error)) from error
    services.on_accepted()
    return web.Response(body=to_json(_accepted(bulk)), content_type="application/json")


def _is_json(request: web.Request) -> bool:
    stated = "Content-Type" in request.headers
    return not stated or request.content_type == "application/json" or request.content_type.endswith("+json")


def _accepted(bulk: Bulk) -> dict[str, Any]:
    pending = status_members(PENDING_ACCEPTED)
    return {
        "bulkId": bulk.id,
        "token": bulk.id,
        "messages": [
            {"to": message.to, "status": pending, "messageId": message.id, "token": message.id}
            for message in bulk.messages
        ],
    }

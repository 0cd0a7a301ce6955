"""``POST /tts/3/single``, ``/tts/3/multi`` and ``/tts/3/advanced``: messages are taken in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from pydantic_core import to_json

from bridge.api.advanced import AdvancedRequest
from bridge.api.errors import DuplicateRefused
from bridge.api.ivr_uploads import refuse_unknown_uploads
from bridge.api.members import Rules
from bridge.api.orders import advanced_orders, simple_order
from bridge.api.reading import read, read_body
from bridge.api.requests import MultiRequest, SimpleMessage
from bridge.api.scripting import refuse_bad_scripts, uploads_of
from bridge.api.services import ACCOUNT, SERVICES
from bridge.messages.expansion import expand
from bridge.messages.message import Bulk
from bridge.messages.statuses import PENDING_ACCEPTED
from bridge.reports.members import status_members
from bridge.store import DuplicateId

_ToBulk = Callable[[bytes, Rules, str], Bulk]


async def take_in(request: web.Request, to_bulk: _ToBulk) -> web.Response:
    """Keep the bulk that a request's body asks for, and answer with its ids."""
    account = request[ACCOUNT]
    bulk = await read_body(request, lambda body, rules: to_bulk(body, rules, account))
    return await keep(request, bulk, request.app[SERVICES].store.accept)


async def keep(request: web.Request, bulk: Bulk, accept: Callable[[Bulk], Awaitable[None]]) -> web.Response:
    """Have a bulk kept, and answer with its ids. Raises DuplicateRefused."""
    try:
        await accept(bulk)
    except DuplicateId as error:
        raise DuplicateRefused(str(error)) from error
    return web.Response(body=to_json(_acceptance(bulk)), content_type="application/json")


async def send_single(request: web.Request) -> web.Response:
    """One text, normally to one number."""
    return await take_in(request, _single)


async def send_multi(request: web.Request) -> web.Response:
    """Several texts, each to one or more numbers."""
    return await take_in(request, _multi)


async def send_advanced(request: web.Request) -> web.Response:
    """Fully featured messages."""
    account = request[ACCOUNT]
    bulk, uploads = await read_body(request, lambda body, rules: _advanced(body, rules, account))
    await refuse_unknown_uploads(request, uploads)
    return await keep(request, bulk, request.app[SERVICES].store.accept)


def _single(body: bytes, rules: Rules, account: str) -> Bulk:
    message = read(SimpleMessage, body, rules)
    return expand([simple_order(message)], account=account, now=rules.now)


def _multi(body: bytes, rules: Rules, account: str) -> Bulk:
    wanted = read(MultiRequest, body, rules)
    return expand([simple_order(message) for message in wanted.messages], account=account, now=rules.now)


def _advanced(body: bytes, rules: Rules, account: str) -> tuple[Bulk, dict[str, str]]:
    wanted = read(AdvancedRequest, body, rules)
    orders = advanced_orders(wanted)
    refuse_bad_scripts(wanted, orders, rules)
    return expand(orders, account=account, now=rules.now, bulk_id=wanted.bulk_id), uploads_of(wanted)


def _acceptance(bulk: Bulk) -> dict[str, Any]:
    pending = status_members(PENDING_ACCEPTED)
    return {
        "bulkId": bulk.id,
        "token": bulk.id,
        "messages": [
            {"to": message.to, "status": pending, "messageId": message.id, "token": message.id}
            for message in bulk.messages
        ],
    }

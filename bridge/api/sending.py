"""``POST /tts/3/single``, ``/tts/3/multi`` and ``/tts/3/advanced``: messages are taken in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from aiohttp import web

from bridge.api.advanced import AdvancedRequest
from bridge.api.answers import list_answer
from bridge.api.errors import DuplicateRefused
from bridge.api.members import Rules
from bridge.api.orders import advanced_orders, simple_order
from bridge.api.reading import read, read_body
from bridge.api.requests import MultiRequest, SimpleMessage
from bridge.api.scripting import in_messages, played_by
from bridge.api.services import ACCOUNT, SERVICES
from bridge.api.spoken import Played, refuse_what_cannot_be_heard
from bridge.messages.expansion import expand
from bridge.messages.message import Bulk, Message
from bridge.messages.statuses import PENDING_ACCEPTED
from bridge.reports.members import status_members
from bridge.store import DuplicateId


class Taken(NamedTuple):
    """What a request asks for."""

    bulk: Bulk
    played: Played


async def take_in(request: web.Request, reader: Callable[[bytes, Rules, str], Taken]) -> web.StreamResponse:
    """Keep the bulk that a request's body asks for, and answer with its ids."""
    account = request[ACCOUNT]
    bulk, played = await read_body(request, lambda body, rules: reader(body, rules, account))
    await refuse_what_cannot_be_heard(request, played)
    return await keep(request, bulk, request.app[SERVICES].store.messages.accept)


async def keep(request: web.Request, bulk: Bulk, accept: Callable[[Bulk], Awaitable[None]]) -> web.StreamResponse:
    """Have a bulk kept, and answer with its ids. Raises DuplicateRefused."""
    try:
        await accept(bulk)
    except DuplicateId as error:
        raise DuplicateRefused(str(error)) from error
    pending = status_members(PENDING_ACCEPTED)

    def members(message: Message) -> dict[str, Any]:
        return {"to": message.to, "status": pending, "messageId": message.id, "token": message.id}

    return await list_answer(request, "messages", bulk.messages, members, bulkId=bulk.id, token=bulk.id)


async def send_single(request: web.Request) -> web.StreamResponse:
    """One text, normally to one number."""
    return await take_in(request, _single)


async def send_multi(request: web.Request) -> web.StreamResponse:
    """Several texts, each to one or more numbers."""
    return await take_in(request, _multi)


async def send_advanced(request: web.Request) -> web.StreamResponse:
    """Fully featured messages."""
    return await take_in(request, _advanced)


def _single(body: bytes, rules: Rules, account: str) -> Taken:
    orders = [simple_order(read(SimpleMessage, body, rules))]
    played = played_by(orders, lambda _index, path: path)
    return Taken(expand(orders, account=account, now=rules.now), played)


def _multi(body: bytes, rules: Rules, account: str) -> Taken:
    orders = [simple_order(message) for message in read(MultiRequest, body, rules).messages]
    played = played_by(orders, in_messages)
    return Taken(expand(orders, account=account, now=rules.now), played)


def _advanced(body: bytes, rules: Rules, account: str) -> Taken:
    wanted = read(AdvancedRequest, body, rules)
    orders = advanced_orders(wanted)
    played = played_by(orders, partial(_place, wanted))
    return Taken(expand(orders, account=account, now=rules.now, bulk_id=wanted.bulk_id), played)


def _place(request: AdvancedRequest, index: int, path: str) -> str:
    """Members that a message takes over from the top of the request are at fault there."""
    message = request.messages[index]
    member = re.split(r"[.\[]", path, maxsplit=1)[0]
    from_the_top = (member == "actions" and message.actions is None) or (
        member == "actionGroups" and message.action_groups is None
    )
    return path if from_the_top else in_messages(index, path)

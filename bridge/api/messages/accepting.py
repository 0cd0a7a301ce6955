"""Accepting messages: the steps that all ways of sending share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from aiohttp import web
from typing_extensions import TypedDict

from bridge.api.http.answers import Each
from bridge.api.http.errors import DuplicateRefused
from bridge.api.http.fields import Rules
from bridge.api.http.reading import read_body
from bridge.api.http.services import ACCOUNT, SERVICES
from bridge.api.messages.spoken import PlayedByScripts, refuse_what_cannot_be_heard
from bridge.messages.message import Bulk, Message
from bridge.messages.statuses import PENDING_ACCEPTED
from bridge.reports.members import StatusMembers, status_members
from bridge.store import DuplicateId


class AcceptedMessage(TypedDict):
    """A message that is kept; its token asks for where it stands."""

    to: str
    status: StatusMembers
    messageId: str
    token: str


class AcceptedAnswer(TypedDict):
    """A bulk that is kept, with its messages in the order of the request."""

    bulkId: str
    token: str
    messages: Sequence[AcceptedMessage]


class Taken(NamedTuple):
    """What a request asks for: a bulk, and what its scripts play."""

    bulk: Bulk
    played: PlayedByScripts


async def take_in(request: web.Request, reader: Callable[[bytes, Rules, str], Taken]) -> AcceptedAnswer:
    """Keep the bulk that a request's body asks for, and answer with its ids."""
    account = request[ACCOUNT]
    bulk, played = await read_body(request, lambda body, rules: reader(body, rules, account))
    await refuse_what_cannot_be_heard(request, played)
    return await keep(bulk, request.app[SERVICES].store.messages.accept)


async def keep(bulk: Bulk, accept: Callable[[Bulk], Awaitable[None]]) -> AcceptedAnswer:
    """Store a bulk by ``accept``, and answer with its ids. Raises DuplicateRefused."""
    try:
        await accept(bulk)
    except DuplicateId as error:
        raise DuplicateRefused(str(error)) from error
    pending = status_members(PENDING_ACCEPTED)

    def accepted(message: Message) -> AcceptedMessage:
        return {"to": message.to, "status": pending, "messageId": message.id, "token": message.id}

    return {"bulkId": bulk.id, "token": bulk.id, "messages": Each(bulk.messages, accepted)}

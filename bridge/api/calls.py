"""``GET /voice/1/calls/{token}`` and ``/cdr``: where a message stands, and what came of it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bridge.api.errors import CallNotFinished, NotFound
from bridge.api.own_address import own_address
from bridge.api.services import ACCOUNT, SERVICES
from bridge.messages.attempt import Attempt
from bridge.messages.progress import Progress, State
from bridge.reports.cdr import cdr
from bridge.reports.members import error_members, optional_time, status_members, wire_time
from bridge.store import Store


async def get_call(request: web.Request) -> web.Response:
    """Where a message stands now; with a bulk's token, how many of its messages are in each state."""
    store, account, token = request.app[SERVICES].store, request[ACCOUNT], request.match_info["token"]
    progress = await store.messages.progress(account, token)
    if progress is not None:
        return web.json_response(_standing(progress, await store.messages.attempts(account, token)))
    counts = await store.bulks.counts(account, token)
    if counts is not None:
        return web.json_response(_bulk_standing(token, counts))
    raise _unknown(token)


async def get_cdr(request: web.Request) -> web.Response:
    """The CDR of a finished call, one entry per attempt; also with the token of a bulk that has one message."""
    store, account, token = request.app[SERVICES].store, request[ACCOUNT], request.match_info["token"]
    progress = await store.messages.progress(account, token) or await _only_message(store, account, token)
    if progress is None:
        raise _unknown(token)
    if progress.state is not State.DONE:
        raise CallNotFinished(f"the call is not over: it is {progress.state}")
    at, attempts = own_address(request), await store.messages.attempts(account, progress.message.id)
    return web.json_response(
        {
            **_identity(progress),
            "doneAt": optional_time(progress.done_at),
            "attempts": [cdr(attempt, at) for attempt in attempts],
        }
    )


async def _only_message(store: Store, account: str, bulk_id: str) -> Progress | None:
    message_id = await store.bulks.only_message(account, bulk_id)
    return None if message_id is None else await store.messages.progress(account, message_id)


def _standing(progress: Progress, attempts: list[Attempt]) -> dict[str, Any]:
    return {
        **_identity(progress),
        "state": progress.state,
        "attempt": progress.attempts,
        "sendAt": wire_time(progress.message.send_at),
        "expiresAt": wire_time(progress.message.expires_at),
        **_times(attempts[-1] if attempts else None),
        "doneAt": optional_time(progress.done_at),
    }


def _times(latest: Attempt | None) -> dict[str, str | None]:
    if latest is None:
        return {"dialledAt": None, "ringingAt": None, "answeredAt": None, "endedAt": None}
    return {
        "dialledAt": wire_time(latest.dialled_at),
        "ringingAt": optional_time(latest.ringing_at),
        "answeredAt": optional_time(latest.answered_at),
        "endedAt": optional_time(latest.ended_at),
    }


def _identity(progress: Progress) -> dict[str, Any]:
    message = progress.message
    return {
        "token": message.id,
        "messageId": message.id,
        "bulkId": progress.bulk_id,
        "from": message.sender,
        "to": message.to,
        "status": status_members(progress.status_id),
        "error": error_members(progress.error_id),
    }


def _bulk_standing(bulk_id: str, counts: dict[State, int]) -> dict[str, Any]:
    return {
        "token": bulk_id,
        "bulkId": bulk_id,
        "messages": sum(counts.values()),
        "states": {state: counts.get(state, 0) for state in State},
    }


def _unknown(token: str) -> NotFound:
    return NotFound(f"there is no call with the token {token}")

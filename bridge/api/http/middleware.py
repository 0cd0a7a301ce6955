"""Middleware for every request: credentials are checked, and all errors have the documented body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from bridge.api.http.authentication import Authenticator
from bridge.api.http.errors import (
    BadRequest,
    ExpectationFailed,
    MethodNotAllowed,
    NotFound,
    Refused,
    RequestTooLarge,
    Unauthorized,
    error_answer,
)
from bridge.api.http.services import ACCOUNT
from bridge.base import garbage
from bridge.base.objects import ObjectStorageFailed
from bridge.store import CommitUnknown, StoreFailed

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LARGE_BODY = 100_000
"""Bytes."""

_CHALLENGES = 'App realm="Voicebridge", Basic realm="Voicebridge", charset="UTF-8"'

_HTTP_ERRORS: dict[int, tuple[type[Refused], str]] = {
    404: (NotFound, "there is nothing at this address"),
    405: (MethodNotAllowed, "this address does not know that method; the header Allow lists those it knows"),
    413: (RequestTooLarge, "the body is larger than this server takes"),
    417: (ExpectationFailed, "only 100-continue can be expected"),
}
_OTHER_HTTP_ERROR = (BadRequest, "the request cannot be understood")

_log = structlog.get_logger(__name__)


def authentication(authenticator: Authenticator, open_paths: Collection[str]) -> Middleware:
    """Lets a request pass that has valid credentials, and notes its account. Raises Unauthorized.

    ``open_paths`` need none.
    """

    @web.middleware
    async def check(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path not in open_paths:
            account = await authenticator.account(request.headers.get("Authorization", ""))
            if account is None:
                raise Unauthorized("the request has no valid credentials")
            request[ACCOUNT] = account
        return await handler(request)

    return check


@web.middleware
async def large_requests(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Puts off garbage collection, which would look through all of a large request, while that is worked on."""
    length = request.content_length
    if not request.can_read_body or (length is not None and length <= _LARGE_BODY):
        return await handler(request)
    with garbage.put_off():
        return await handler(request)


@web.middleware
async def errors_as_json(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Gives every failure, ours and the HTTP library's, the documented body."""
    try:
        return await handler(request)
    except Refused as error:
        return _refusal(error)
    except web.HTTPException as error:
        return _http_error(error)
    except web.RequestPayloadError:
        return _refusal(BadRequest("the body is not what its headers say"))
    except (StoreFailed, ObjectStorageFailed) as error:
        _log.error(error.id.lower(), route=_route(request), reason=error)
        return _failure(503, error.id, _advice(error))
    except Exception:  # a client may learn only that something went wrong
        _log.exception("request_failed", route=_route(request))
        return _failure(500, "GENERAL_ERROR", "something went wrong here; the log says what")


def _advice(error: StoreFailed | ObjectStorageFailed) -> str:
    if isinstance(error, CommitUnknown):
        return "it may have been done or not; sent again with ids of your own it is not done twice"
    return "it could not be kept or found; try again later"


def _refusal(error: Refused) -> web.Response:
    headers = {"WWW-Authenticate": _CHALLENGES} if isinstance(error, Unauthorized) else None
    return web.json_response(error.body, status=error.http_status, headers=headers)


def _http_error(error: web.HTTPException) -> web.Response:
    refusal, text = _HTTP_ERRORS.get(error.status, _OTHER_HTTP_ERROR)
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    return web.json_response(error_answer(refusal.id, text), status=error.status, headers=headers)


def _failure(http_status: int, message_id: str, text: str) -> web.Response:
    return web.json_response(error_answer(message_id, text), status=http_status)


def _route(request: web.Request) -> str | None:
    """The method and path for the log, with placeholders for what the caller put into the path."""
    resource = request.match_info.route.resource
    return None if resource is None else f"{request.method} {resource.canonical}"

"""The API as one aiohttp application, made of a list of resources."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bridge.api import bulks, calls, click_to_call, health, ivr, logs, messages, openapi, recordings, reports, voices
from bridge.api.http.authentication import Authenticator
from bridge.api.http.middleware import authentication, errors_as_json, large_requests
from bridge.api.http.services import SERVICES, Readiness, Services
from bridge.recordings.files import RecordingFiles
from bridge.speech.speech import Speech
from bridge.store import Store

_RESOURCES = (
    messages,
    bulks,
    calls,
    reports,
    logs,
    recordings,
    voices,
    ivr,
    click_to_call,
    health,
    openapi,
)

ROUTES = tuple(route for resource in _RESOURCES for route in resource.ROUTES)


def create_app(
    *,
    store: Store,
    authenticator: Authenticator,
    speech: Speech,
    recordings: RecordingFiles,
    readiness: Callable[[], Awaitable[Readiness]],
    max_body_bytes: int,
    public_url: str | None = None,
) -> web.Application:
    """The application that serves the API.

    ``speech`` says what can be spoken; ``recordings`` has what was recorded; ``readiness`` tells whether calls
    can be made. A body larger than ``max_body_bytes`` is answered with 413. ``public_url`` is as in `Services`.
    """
    open_paths = frozenset(route.path for route in ROUTES if route.is_open)
    app = web.Application(
        middlewares=(errors_as_json, authentication(authenticator, open_paths), large_requests),
        client_max_size=max_body_bytes,
    )
    app[SERVICES] = Services(
        store=store,
        speech=speech,
        recordings=recordings,
        languages=frozenset(speech.languages()),
        readiness=readiness,
        public_url=public_url,
    )
    app[openapi.DOCUMENT] = openapi.Document(ROUTES)
    app.add_routes([route.definition for route in ROUTES])
    return app

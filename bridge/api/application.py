"""The front desk as one aiohttp application."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aiohttp import web

from bridge.api.authentication import Authenticator
from bridge.api.calls import get_call, get_cdr
from bridge.api.delivery_reports import get_reports_v1, get_reports_v2
from bridge.api.health import healthz, readyz
from bridge.api.middleware import authentication, errors_as_json
from bridge.api.sending import send_advanced, send_multi, send_single
from bridge.api.services import SERVICES, Readiness, Services
from bridge.store import Store

_ROUTES = (
    web.post("/tts/3/single", send_single),
    web.post("/tts/3/multi", send_multi),
    web.post("/tts/3/advanced", send_advanced),
    # A HEAD would take reports that nobody gets to see.
    web.get("/tts/3/reports", get_reports_v1, allow_head=False),
    web.get("/voice/1/reports", get_reports_v2, allow_head=False),
    web.get("/voice/1/calls/{token}", get_call),
    web.get("/voice/1/calls/{token}/cdr", get_cdr),
    web.get("/healthz", healthz),
    web.get("/readyz", readyz),
)


def create_app(
    *,
    store: Store,
    authenticator: Authenticator,
    languages: Iterable[str],
    on_accepted: Callable[[], None],
    readiness: Readiness,
    max_body_bytes: int,
) -> web.Application:
    """The application that serves the wire contract.

    ``languages`` are the codes that can be spoken; ``on_accepted`` is called, on the event loop, after messages were
    committed; ``readiness`` tells what is wrong with each part of the house. A larger body than ``max_body_bytes`` is
    answered by 413.
    """
    app = web.Application(middlewares=(errors_as_json, authentication(authenticator)), client_max_size=max_body_bytes)
    app[SERVICES] = Services(
        store=store,
        languages=frozenset(languages),
        on_accepted=on_accepted,
        readiness=readiness,
    )
    app.add_routes(_ROUTES)
    return app

"""The front desk as one aiohttp application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bridge.api.authentication import Authenticator
from bridge.api.bulks import get_bulk, get_bulk_status, put_bulk, put_bulk_status
from bridge.api.calls import get_call, get_cdr
from bridge.api.click_to_call import send_click_to_call
from bridge.api.delivery_reports import get_reports_v1, get_reports_v2
from bridge.api.health import healthz, readyz
from bridge.api.ivr_files import get_file, get_files
from bridge.api.ivr_messages import launch_scenarios
from bridge.api.ivr_scenarios import (
    create_scenario,
    delete_scenario,
    get_scenario,
    search_scenarios,
    update_scenario,
)
from bridge.api.ivr_uploads import get_uploads, upload_file
from bridge.api.logs import get_logs
from bridge.api.middleware import authentication, errors_as_json, large_requests
from bridge.api.openapi import OPENAPI, get_openapi, openapi
from bridge.api.recordings import get_call_recording
from bridge.api.sending import send_advanced, send_multi, send_single
from bridge.api.services import SERVICES, Readiness, Services
from bridge.api.voices import get_voices
from bridge.recordings.files import RecordingFiles
from bridge.speech.speech import Speech
from bridge.store import Store

_ROUTES = (
    web.post("/tts/3/single", send_single),
    web.post("/tts/3/multi", send_multi),
    web.post("/tts/3/advanced", send_advanced),
    # A HEAD would take reports that nobody gets to see.
    web.get("/tts/3/reports", get_reports_v1, allow_head=False),
    web.get("/voice/1/reports", get_reports_v2, allow_head=False),
    web.get("/tts/3/logs", get_logs),
    web.get("/tts/3/bulks", get_bulk),
    web.put("/tts/3/bulks", put_bulk),
    web.get("/tts/3/bulks/status", get_bulk_status),
    web.put("/tts/3/bulks/status", put_bulk_status),
    web.get("/tts/3/voices/{language}", get_voices),
    web.get("/tts/3/files/{messageId}/{to}", get_call_recording),
    web.post("/voice/ivr/1/scenarios", create_scenario),
    web.get("/voice/ivr/1/scenarios", search_scenarios),
    web.get("/voice/ivr/1/scenarios/{id}", get_scenario),
    web.put("/voice/ivr/1/scenarios/{id}", update_scenario),
    web.delete("/voice/ivr/1/scenarios/{id}", delete_scenario),
    web.post("/voice/ivr/1/messages", launch_scenarios),
    web.get("/voice/ivr/1/files", get_files),
    web.get("/voice/ivr/1/files/{id}", get_file),
    web.post("/voice/ivr/1/uploads", upload_file),
    web.get("/voice/ivr/1/uploads", get_uploads),
    web.post("/voice/ctc/1/send", send_click_to_call),
    web.get("/voice/1/calls/{token}", get_call),
    web.get("/voice/1/calls/{token}/cdr", get_cdr),
    web.get("/openapi.json", get_openapi),
    web.get("/healthz", healthz),
    web.get("/readyz", readyz),
)


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
    """The application that serves the wire contract.

    ``speech`` says what can be spoken; ``recordings`` has what was recorded; ``readiness`` tells whether calls
    can be made. A larger body than ``max_body_bytes`` is answered by 413. ``public_url`` is as in `Services`.
    """
    app = web.Application(
        middlewares=(errors_as_json, authentication(authenticator), large_requests), client_max_size=max_body_bytes
    )
    app[SERVICES] = Services(
        store=store,
        speech=speech,
        recordings=recordings,
        languages=frozenset(speech.languages()),
        readiness=readiness,
        public_url=public_url,
    )
    app[OPENAPI] = openapi(_ROUTES)
    app.add_routes(_ROUTES)
    return app

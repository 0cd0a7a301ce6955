"""``GET /openapi.json``: what can be asked here, after the OpenAPI Specification 3.1."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from string import Formatter
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bridge import __version__
from bridge.api import bulks, click_to_call
from bridge.api.health import READINESS, healthz, readyz
from bridge.api.ivr import files, messages, scenarios, uploads
from bridge.api.logs import get_logs
from bridge.api.messages import accepting
from bridge.api.messages.advanced import AdvancedRequest
from bridge.api.messages.utterance import MultiRequest, SimpleMessage
from bridge.api.reports import get_reports_v1, get_reports_v2
from bridge.api.voices import get_voices
from bridge.messages.statuses import STATUS_GROUPS

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Query = dict[str, dict[str, Any]]

_BODIES: dict[_Handler, type[BaseModel]] = {
    accepting.send_single: SimpleMessage,
    accepting.send_multi: MultiRequest,
    accepting.send_advanced: AdvancedRequest,
    bulks.put_bulk: bulks.Rescheduling,
    bulks.put_bulk_status: bulks.StatusChange,
    scenarios.create_scenario: scenarios.ScenarioRequest,
    scenarios.update_scenario: scenarios.ScenarioRequest,
    messages.launch_scenarios: messages.LaunchRequest,
    click_to_call.send_click_to_call: click_to_call.ClickToCallRequest,
}

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_TIME = {"type": "string", "format": "date-time"}
_COUNT = {"type": "integer", "minimum": 1}
_BULK: _Query = {"bulkId": _TEXT}
_REPORTS: _Query = {"bulkId": _TEXT, "messageId": _TEXT, "limit": _COUNT}

_QUERIES: dict[_Handler, _Query] = {
    get_reports_v1: _REPORTS,
    get_reports_v2: _REPORTS,
    get_logs: {
        "from": _TEXT,
        "to": _TEXT,
        "bulkId": _TEXTS,
        "messageId": _TEXTS,
        "generalStatus": {"type": "string", "enum": list(STATUS_GROUPS)},
        "sentSince": _TIME,
        "sentUntil": _TIME,
        "limit": _COUNT,
        "mcc": _TEXT,
        "mnc": _TEXT,
    },
    bulks.get_bulk: _BULK,
    bulks.put_bulk: _BULK,
    bulks.get_bulk_status: _BULK,
    bulks.put_bulk_status: _BULK,
    get_voices: {"includeNeural": {"type": "boolean"}},
    scenarios.search_scenarios: {
        "page": _COUNT,
        "pageSize": _COUNT,
        "name": _TEXT,
        "label": _TEXT,
        "lastUsageDateSince": _TIME,
        "lastUsageDateUntil": _TIME,
    },
    files.get_files: {"page": _COUNT, "pageSize": _COUNT, "messageId": _TEXT, "number": _TEXT},
    uploads.get_uploads: {"page": {"type": "integer", "minimum": 0}, "size": _COUNT},
}
_NEEDED = {bulks.get_bulk, bulks.put_bulk, bulks.get_bulk_status, bulks.put_bulk_status}
"""Handlers whose query must be there."""

OPENAPI = web.AppKey("openapi", dict[str, Any])


async def get_openapi(request: web.Request) -> web.Response:
    """What can be asked here, as an OpenAPI document."""
    return web.json_response(request.app[OPENAPI])


def _answer(description: str, *schemas: dict[str, Any]) -> dict[str, Any]:
    """A response whose body is all of these."""
    return {"description": description, "content": {"application/json": {"schema": {"allOf": list(schemas)}}}}


_OPEN = {healthz, readyz, get_openapi}

_PROBLEM = {
    "type": "object",
    "required": ["requestError"],
    "properties": {
        "requestError": {
            "type": "object",
            "required": ["serviceException"],
            "properties": {
                "serviceException": {
                    "type": "object",
                    "required": ["messageId", "text"],
                    "properties": {
                        "messageId": _TEXT,
                        "text": _TEXT,
                        "validationErrors": {"type": "object", "additionalProperties": _TEXTS},
                    },
                }
            },
        }
    },
}

_PROBLEM_REFERENCE = {"$ref": "#/components/schemas/Problem"}

_DONE_OR_REFUSED = {"200": {"description": "Done."}, "default": _answer("Refused, or failed.", _PROBLEM_REFERENCE)}
_RESPONSES: dict[_Handler, dict[str, Any]] = {
    readyz: {
        "200": _answer("Calls can be made.", READINESS),
        "503": _answer("A part is missing.", READINESS, _PROBLEM_REFERENCE),
    }
}


def openapi(routes: Iterable[web.RouteDef]) -> dict[str, Any]:
    """The document for these routes; their summaries are the first lines of what the handlers say of themselves."""
    models = sorted(set(_BODIES.values()), key=lambda model: model.__name__)
    references, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in routes:
        operation = _operation(route)
        if (body := _BODIES.get(route.handler)) is not None:
            schema = references[body, "validation"]
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        paths[route.path][route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Voicebridge", "version": __version__},
        "security": [{"key": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "App <API key>"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(route: web.RouteDef) -> dict[str, Any]:
    operation = {
        "operationId": route.handler.__name__,
        "summary": (route.handler.__doc__ or "").partition("\n")[0],
        "parameters": _parameters(route),
        "responses": _RESPONSES.get(route.handler, _DONE_OR_REFUSED),
    }
    return {**operation, "security": []} if route.handler in _OPEN else operation


def _parameters(route: web.RouteDef) -> list[dict[str, Any]]:
    in_path = [name for _, name, _, _ in Formatter().parse(route.path) if name]
    in_query = _QUERIES.get(route.handler, {})
    return [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in in_path] + [
        {"name": name, "in": "query", "required": route.handler in _NEEDED, "schema": schema}
        for name, schema in in_query.items()
    ]

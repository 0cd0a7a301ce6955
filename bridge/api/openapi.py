"""``GET /openapi.json``: the document of the API (OpenAPI Specification 3.1), made from its routes and models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from string import Formatter
from typing import Any, Literal

from aiohttp import web
from pydantic import TypeAdapter

from bridge import __version__
from bridge.api.http.errors import ErrorAnswer
from bridge.api.http.routes import Route
from bridge.base.threads import LARGE

_Mode = Literal["validation", "serialization"]
_Schemas = Mapping[tuple[Any, _Mode], dict[str, Any]]


class Document:
    """The OpenAPI document of some routes, made when it is first asked for: it takes a tenth of a second."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes

    @cached_property
    def members(self) -> dict[str, Any]:
        """The document, as values of JSON."""
        schemas, definitions = _schemas(self._routes)
        paths: dict[str, dict[str, Any]] = defaultdict(dict)
        for route in self._routes:
            paths[route.path][route.method.lower()] = _operation(route, schemas)
        return {
            "openapi": "3.1.0",
            "info": {"title": "Voicebridge", "version": __version__},
            "security": [{"key": []}, {"basic": []}],
            "paths": paths,
            "components": {
                "schemas": definitions,
                "securitySchemes": {
                    "key": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "App <API key>"},
                    "basic": {"type": "http", "scheme": "basic"},
                },
            },
        }


DOCUMENT = web.AppKey("document", Document)


async def get_openapi(request: web.Request) -> dict[str, Any]:
    """What can be asked here, as an OpenAPI document."""
    document = request.app[DOCUMENT]
    return await LARGE.run(lambda: document.members)


ROUTES = (Route("GET", "/openapi.json", get_openapi, is_open=True),)


def _schemas(routes: Iterable[Route]) -> tuple[_Schemas, dict[str, Any]]:
    """The schema of every model that the routes name, and what these refer to."""
    models: dict[tuple[Any, _Mode], TypeAdapter[Any]] = {}
    for route in routes:
        if route.body is not None:
            models[route.body, "validation"] = TypeAdapter(route.body)
        answers = [refusal.answer for refusal in route.every_refusal]
        if route.media_type is None:
            answers.append(route.answer)
        models |= {(answer, "serialization"): TypeAdapter(answer) for answer in answers}
    models[ErrorAnswer, "serialization"] = TypeAdapter(ErrorAnswer)
    told, others = TypeAdapter.json_schemas(
        [(model, mode, adapter) for (model, mode), adapter in models.items()],
        ref_template="#/components/schemas/{model}",
    )
    return told, others.get("$defs", {})


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": _first_line(route.handler),
        "parameters": _parameters(route),
        "responses": _responses(route, schemas),
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, **_content(schemas[route.body, "validation"])}
    return {**operation, "security": []} if route.is_open else operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    in_path = [name for _, name, _, _ in Formatter().parse(route.path) if name]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in in_path] + [
        {"name": member.name, "in": "query", "required": member.is_required, "schema": member.schema}
        for member in route.query
    ]


def _responses(route: Route, schemas: _Schemas) -> dict[str, Any]:
    failures: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for refusal in route.every_refusal:
        failures[str(refusal.http_status)].append((_first_line(refusal), refusal.answer))
    if not route.is_open:
        failures["503"].append(("It could not be kept or found; try again later.", ErrorAnswer))
    failures["500"].append(("Something went wrong here; the log says what.", ErrorAnswer))
    failures["default"].append(("The request cannot be understood.", ErrorAnswer))
    return _successes(route, schemas) | {
        status: {
            "description": " ".join(text for text, _ in told),
            **_content(schemas[told[0][1], "serialization"]),
        }
        for status, told in failures.items()
    }


def _successes(route: Route, schemas: _Schemas) -> dict[str, Any]:
    if route.media_type is None:
        return {"200": {"description": "Done.", **_content(schemas[route.answer, "serialization"])}}
    audio: dict[str, Any] = {"content": {route.media_type: {}}}
    return {"200": {"description": "All of it.", **audio}, "206": {"description": "The range asked for.", **audio}}


def _content(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _first_line(documented: object) -> str:
    return (documented.__doc__ or "").partition("\n")[0]

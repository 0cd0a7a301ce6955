"""A client that holds every JSON answer against the OpenAPI document."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request
from openapi_schema_validator import OAS31Validator

from bridge.api.application import ROUTES
from bridge.api.openapi import Document

_LOOKED_AT = 20
"""Entries of a list: they are all made by the same hand, and there may be 20,000."""


class DocumentedClient(TestClient[Request, Application]):
    """Fails a test that gets an answer which the document does not describe, member by member."""

    async def _request(self, method: str, path: Any, **options: Any) -> ClientResponse:
        answer = await super()._request(method, path, **options)
        if answer.content_type == "application/json" and method != "HEAD":
            validator(method.lower(), _address(answer.url.raw_path), answer.status).validate(
                _shortened(await answer.json())
            )
        return answer


@cache
def document() -> dict[str, Any]:
    """The document, by which an object has no other members than those that are described."""
    told: dict[str, Any] = json.loads(json.dumps(Document(ROUTES).members))
    for schema in told["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return told


@cache
def validator(method: str, address: str | None, status: int) -> OAS31Validator:
    """What is said of an answer; everything at an unknown address, or by an unknown method, is an error."""
    operation = document()["paths"].get(address, {}).get(method)
    schema = {"$ref": "#/components/schemas/ErrorAnswer"}
    if operation is not None:
        assert str(status) in operation["responses"], f"{method} {address} is not said to answer {status}"
        schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    return OAS31Validator({**schema, "components": document()["components"]})


def _address(path: str) -> str | None:
    exact_first = sorted(document()["paths"], key=lambda address: "{" in address)
    return next((each for each in exact_first if re.fullmatch(re.sub(r"{\w+}", "[^/]+", each), path)), None)


def _shortened(answer: Any) -> Any:
    if isinstance(answer, list):
        return answer[:_LOOKED_AT]
    return {name: _shortened(member) if isinstance(member, list) else member for name, member in answer.items()}

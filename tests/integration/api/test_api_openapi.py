"""The OpenAPI document: valid, complete, and true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from bridge.api.application import ROUTES

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

pytestmark = pytest.mark.any_database


async def document(desk: Desk) -> Any:
    answer = await desk.client.get("/openapi.json")
    assert answer.status == 200
    return await answer.json()


def validator(document: Any, model: str) -> OAS31Validator:
    return OAS31Validator({"$ref": f"#/components/schemas/{model}", "components": document["components"]})


async def test_the_document_is_valid_and_has_every_address(desk: Desk) -> None:
    told = await document(desk)
    validate(told)
    served = {
        (route.resource.canonical, route.method.lower())
        for route in desk.client.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == {(path, method) for path, methods in told["paths"].items() for method in methods}
    assert all(operation["summary"] for methods in told["paths"].values() for operation in methods.values())


async def test_what_the_document_says_of_a_request_is_what_is_taken(desk: Desk) -> None:
    told = await document(desk)
    body = told["paths"]["/tts/3/advanced"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/AdvancedRequest"}
    schema = validator(told, "AdvancedRequest")
    good = {"messages": [{"destinations": [{"to": "41793026727"}], "text": "Hello", "ringTimeout": 45}]}
    bad = {"messages": [{"destinations": [], "text": 7, "ringTimeout": "45"}]}
    assert schema.is_valid(good)
    await desk.sent(good, "/tts/3/advanced")
    assert sorted(".".join(map(str, error.absolute_path)) for error in schema.iter_errors(bad)) == [
        "messages.0.destinations",
        "messages.0.ringTimeout",
        "messages.0.text",
    ]
    assert (await desk.post("/tts/3/advanced", bad)).status == 400


async def test_a_refusal_is_as_the_document_says(desk: Desk) -> None:
    problem = validator(await document(desk), "ErrorAnswer")
    for answer in (await desk.post("/tts/3/single", {}), await desk.get("/nowhere"), await desk.get("/", key="x")):
        assert answer.status >= 400
        problem.validate(await answer.json())


async def test_every_address_says_what_it_answers_and_how_it_refuses(desk: Desk) -> None:
    told = await document(desk)
    for route in ROUTES:
        responses = told["paths"][route.path][route.method.lower()]["responses"]
        refused = {str(refusal.http_status) for refusal in route.every_refusal}
        assert {"200", "500", "default"} | refused <= responses.keys()
        success = responses["200"]["content"]
        if route.media_type is not None:
            assert success == responses["206"]["content"] == {route.media_type: {}}
        else:
            assert success["application/json"]["schema"]
        for status in responses.keys() - {"200", "206"}:
            assert "$ref" in responses[status]["content"]["application/json"]["schema"]

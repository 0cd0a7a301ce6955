"""``/voice/ivr/1/scenarios``: IVR scenarios are written, read, searched and removed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictStr
from pydantic_core import from_json
from typing_extensions import TypedDict

from bridge.api.http import queries
from bridge.api.http.answers import Each
from bridge.api.http.errors import BadRequest, NotFound
from bridge.api.http.fields import RequestModel, Rules, empty_is_none, no_longer_than_a_script
from bridge.api.http.reading import read, read_body
from bridge.api.http.routes import Route
from bridge.api.http.services import ACCOUNT, SERVICES
from bridge.api.messages.delivery import ContentType, OptionalUrl
from bridge.api.messages.spoken import PlayedByScripts, refuse_what_cannot_be_heard
from bridge.messages.message import NotifyContentType
from bridge.messages.scenario import Scenario, ScenarioBody, new_scenario
from bridge.reports.members import WireTime, wire_time
from bridge.scripts import ScriptInvalid, compile_scenario

_PAGE = queries.WholeNumber("page", 1)
_PAGE_SIZE = queries.WholeNumber("pageSize", 50, highest=50)
_NAME = queries.Optional("name", str)
_LABEL = queries.Optional("label", str)
_USED_SINCE = queries.Optional("lastUsageDateSince", queries.day, queries.TIME)
_USED_UNTIL = queries.Optional("lastUsageDateUntil", queries.day, queries.TIME)


def _script(value: Any) -> Any:
    """A script may also be JSON in a string."""
    if not isinstance(value, str):
        return value
    try:
        return from_json(value, allow_inf_nan=False)
    except ValueError as error:
        raise ValueError("must be a list of actions") from error


OptionalText = Annotated[Annotated[StrictStr, Field(max_length=1_000)] | None, BeforeValidator(empty_is_none)]


class ScenarioRequest(RequestModel):
    """``label`` is one word of the application's own to search by."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=200)]
    description: OptionalText = None
    label: OptionalText = None
    notify_url: OptionalUrl = None
    notify_content_type: ContentType | None = None
    record: StrictBool = False
    script: Annotated[list[Any], BeforeValidator(_script), AfterValidator(no_longer_than_a_script)]


class ScenarioAnswer(TypedDict):
    """A scenario, with its script as the application wrote it."""

    id: str
    name: str
    description: str | None
    label: str | None
    notifyUrl: str | None
    notifyContentType: NotifyContentType | None
    record: bool
    script: list[Any]
    createTime: WireTime
    updateTime: WireTime
    lastUsageDate: str | None


class ScenarioRemovedAnswer(TypedDict):
    """Nothing is left to tell."""


async def create_scenario(request: web.Request) -> ScenarioAnswer:
    """Keep a scenario."""
    body = await _body(request)
    services = request.app[SERVICES]
    scenario = new_scenario(body, services.rules().now)
    await services.store.scenarios.add(request[ACCOUNT], scenario)
    return _answer(scenario)


async def get_scenario(request: web.Request) -> ScenarioAnswer:
    """One scenario."""
    scenario_id = request.match_info["id"]
    found = await request.app[SERVICES].store.scenarios.by_id(request[ACCOUNT], [scenario_id])
    if scenario_id not in found:
        raise _unknown(scenario_id)
    return _answer(found[scenario_id])


async def search_scenarios(request: web.Request) -> Sequence[ScenarioAnswer]:
    """A page of scenarios, the newest first, as a bare array."""
    page, size = _PAGE.of(request), _PAGE_SIZE.of(request)
    until = _USED_UNTIL.of(request)
    found = await request.app[SERVICES].store.scenarios.search(
        request[ACCOUNT],
        name=_NAME.of(request),
        label=_LABEL.of(request),
        used_from=_USED_SINCE.of(request),
        used_before=None if until is None else until + timedelta(days=1),
        limit=size,
        offset=(page - 1) * size,
    )
    return Each(found, _answer, in_one_piece=1)  # a script may be large


async def update_scenario(request: web.Request) -> ScenarioAnswer:
    """Put a scenario in another one's place, under its id."""
    body, scenario_id, services = await _body(request), request.match_info["id"], request.app[SERVICES]
    scenario = await services.store.scenarios.change(request[ACCOUNT], scenario_id, body, services.rules().now)
    if scenario is None:
        raise _unknown(scenario_id)
    return _answer(scenario)


async def delete_scenario(request: web.Request) -> ScenarioRemovedAnswer:
    """Remove a scenario; messages that were launched with it keep its script."""
    scenario_id = request.match_info["id"]
    if not await request.app[SERVICES].store.scenarios.remove(request[ACCOUNT], scenario_id):
        raise _unknown(scenario_id)
    return {}


async def _body(request: web.Request) -> ScenarioBody:
    body, played = await read_body(request, _read)
    await refuse_what_cannot_be_heard(request, played)
    return body


def _read(body: bytes, rules: Rules) -> tuple[ScenarioBody, PlayedByScripts]:
    wanted, played = read(ScenarioRequest, body, rules), PlayedByScripts()
    try:
        script = compile_scenario(wanted.script)
    except ScriptInvalid as error:
        raise BadRequest("the script cannot be carried out; see validationErrors", error.problems) from error
    played.add(script, str, sensitive=False, variables=None)
    return ScenarioBody(**dict(wanted)), played


def _answer(scenario: Scenario) -> ScenarioAnswer:
    body = scenario.body
    return {
        "id": scenario.id,
        "name": body.name,
        "description": body.description,
        "label": body.label,
        "notifyUrl": body.notify_url,
        "notifyContentType": body.notify_content_type,
        "record": body.record,
        "script": body.script,
        "createTime": wire_time(scenario.created_at),
        "updateTime": wire_time(scenario.updated_at),
        "lastUsageDate": None if scenario.used_at is None else f"{scenario.used_at:%Y-%m-%d}",
    }


def _unknown(scenario_id: str) -> NotFound:
    return NotFound(f"there is no scenario with the id {scenario_id}")


_QUERY = (_PAGE, _PAGE_SIZE, _NAME, _LABEL, _USED_SINCE, _USED_UNTIL)

ROUTES = (
    Route("POST", "/voice/ivr/1/scenarios", create_scenario, ScenarioRequest),
    Route("GET", "/voice/ivr/1/scenarios", search_scenarios, query=_QUERY),
    Route("GET", "/voice/ivr/1/scenarios/{id}", get_scenario, refusals=[NotFound]),
    Route("PUT", "/voice/ivr/1/scenarios/{id}", update_scenario, ScenarioRequest, refusals=[NotFound]),
    Route("DELETE", "/voice/ivr/1/scenarios/{id}", delete_scenario, refusals=[NotFound]),
)

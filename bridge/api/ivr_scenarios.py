"""``/voice/ivr/1/scenarios``: IVR scenarios are written, read, searched and removed (wire contract, section 5.4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictStr
from pydantic_core import from_json, to_json

from bridge.api import queries
from bridge.api.errors import BadRequest, NotFound
from bridge.api.members import Members, Rules, empty_is_none, no_longer_than_a_script
from bridge.api.reading import read, read_body
from bridge.api.services import ACCOUNT, SERVICES
from bridge.api.spoken import Played, refuse_what_cannot_be_heard
from bridge.api.terms import ContentType, OptionalUrl
from bridge.base.threads import LARGE
from bridge.messages.scenario import Scenario, ScenarioBody, new_scenario
from bridge.reports.members import wire_time
from bridge.scripts import ScriptInvalid, compile_scenario

_LARGEST_PAGE = 50


def _script(value: Any) -> Any:
    """A script may also be JSON in a string."""
    if not isinstance(value, str):
        return value
    try:
        return from_json(value, allow_inf_nan=False)
    except ValueError as error:
        raise ValueError("must be a list of actions") from error


OptionalText = Annotated[Annotated[StrictStr, Field(max_length=1_000)] | None, BeforeValidator(empty_is_none)]


class ScenarioRequest(Members):
    """``label`` is one word of the application's own to search by."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=200)]
    description: OptionalText = None
    label: OptionalText = None
    notify_url: OptionalUrl = None
    notify_content_type: ContentType | None = None
    record: StrictBool = False
    script: Annotated[list[Any], BeforeValidator(_script), AfterValidator(no_longer_than_a_script)]


async def create_scenario(request: web.Request) -> web.Response:
    """Keep a scenario."""
    body = await _body(request)
    services = request.app[SERVICES]
    scenario = new_scenario(body, services.rules().now)
    await services.store.scenarios.add(request[ACCOUNT], scenario)
    return web.json_response(_members(scenario))


async def get_scenario(request: web.Request) -> web.Response:
    """One scenario."""
    scenario_id = request.match_info["id"]
    found = await request.app[SERVICES].store.scenarios.by_id(request[ACCOUNT], [scenario_id])
    if scenario_id not in found:
        raise _unknown(scenario_id)
    return web.json_response(_members(found[scenario_id]))


async def search_scenarios(request: web.Request) -> web.Response:
    """A page of scenarios, the newest first, as a bare array."""
    page = queries.number(request, "page", 1)
    size = queries.number(request, "pageSize", _LARGEST_PAGE, highest=_LARGEST_PAGE)
    until = queries.optional(request, "lastUsageDateUntil", queries.day)
    found = await request.app[SERVICES].store.scenarios.search(
        request[ACCOUNT],
        name=request.query.get("name") or None,
        label=request.query.get("label") or None,
        used_from=queries.optional(request, "lastUsageDateSince", queries.day),
        used_before=None if until is None else until + timedelta(days=1),
        limit=size,
        offset=(page - 1) * size,
    )
    # One after the other, and not on the event loop: a script may be large.
    written = [await LARGE.run(to_json, _members(scenario)) for scenario in found]
    return web.Response(body=b"[%b]" % b",".join(written), content_type="application/json")


async def update_scenario(request: web.Request) -> web.Response:
    """Put a scenario in another one's place, under its id."""
    body, scenario_id, services = await _body(request), request.match_info["id"], request.app[SERVICES]
    scenario = await services.store.scenarios.change(request[ACCOUNT], scenario_id, body, services.rules().now)
    if scenario is None:
        raise _unknown(scenario_id)
    return web.json_response(_members(scenario))


async def delete_scenario(request: web.Request) -> web.Response:
    """Remove a scenario; messages that were launched with it keep its script."""
    scenario_id = request.match_info["id"]
    if not await request.app[SERVICES].store.scenarios.remove(request[ACCOUNT], scenario_id):
        raise _unknown(scenario_id)
    return web.json_response({})


async def _body(request: web.Request) -> ScenarioBody:
    body, played = await read_body(request, _read)
    await refuse_what_cannot_be_heard(request, played)
    return body


def _read(body: bytes, rules: Rules) -> tuple[ScenarioBody, Played]:
    wanted, played = read(ScenarioRequest, body, rules), Played()
    try:
        script = compile_scenario(wanted.script)
    except ScriptInvalid as error:
        raise BadRequest("the script cannot be carried out; see validationErrors", error.problems) from error
    played.add(script, str, sensitive=False, variables=None)
    return ScenarioBody(**dict(wanted)), played


def _members(scenario: Scenario) -> dict[str, Any]:
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

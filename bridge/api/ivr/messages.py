"""``POST /voice/ivr/1/messages``: a scenario is launched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Self

from aiohttp import web
from pydantic import Field, StrictBool, StrictStr, model_validator

from bridge.api.http.errors import BadRequest, DuplicateRefused
from bridge.api.http.fields import RequestModel, Sender
from bridge.api.http.reading import read, read_body
from bridge.api.http.routes import Route
from bridge.api.http.services import ACCOUNT, SERVICES
from bridge.api.messages.accepting import AcceptedAnswer, Taken, keep
from bridge.api.messages.delivery import Campaign, OptionalId, check_campaigns
from bridge.api.messages.scripting import in_messages, played_by
from bridge.api.messages.spoken import refuse_what_cannot_be_heard
from bridge.base.threads import LARGE
from bridge.messages.expansion import expand
from bridge.messages.message import Content, Launch, Notify
from bridge.messages.scenario import Scenario
from bridge.scripts import Script, compile_scenario

Parameters = Annotated[dict[StrictStr, Annotated[StrictStr, Field(max_length=2_000)]], Field(max_length=100)]


class IvrMessage(Campaign):
    scenario_id: StrictStr
    sender: Sender = Field(default=None, alias="from")
    parameters: Parameters = Field(default_factory=dict)
    sensitive: StrictBool = False

    def content(self, scenario: Scenario) -> Content:
        """What its destinations share: what the scenario says is taken where the message says nothing."""
        body = scenario.body
        options = {
            **self.options,
            "record": self.record or body.record,
            "notify": self.notify or _notify_of(scenario, self),
        }
        return Content(
            **options,
            feature="ivr",
            sensitive=self.sensitive,
            launch=Launch(scenario.id, body.name, body.script, self.parameters),
        )


class LaunchRequest(RequestModel):
    bulk_id: OptionalId = None
    messages: Annotated[list[IvrMessage], Field(min_length=1)]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        check_campaigns(self.messages)
        return self


async def launch_scenarios(request: web.Request) -> AcceptedAnswer:
    """Call numbers with scenarios."""
    services, account = request.app[SERVICES], request[ACCOUNT]
    wanted = await read_body(request, lambda body, rules: read(LaunchRequest, body, rules))
    scenarios = await services.store.scenarios.by_id(account, {message.scenario_id for message in wanted.messages})
    _refuse_unknown(wanted, scenarios)
    bulk, played = await LARGE.run(_launched, wanted, scenarios, account, services.rules().now)
    await refuse_what_cannot_be_heard(request, played)
    return await keep(bulk, services.store.messages.launch)


def _refuse_unknown(wanted: LaunchRequest, scenarios: Mapping[str, Scenario]) -> None:
    problems = {
        f"messages[{index}].scenarioId": ["there is no such scenario"]
        for index, message in enumerate(wanted.messages)
        if message.scenario_id not in scenarios
    }
    if problems:
        raise BadRequest("the request breaks a rule; see validationErrors", problems)


def _launched(wanted: LaunchRequest, scenarios: Mapping[str, Scenario], account: str, now: datetime) -> Taken:
    @cache
    def script_of_scenario(scenario_id: str) -> Script:
        return compile_scenario(scenarios[scenario_id].body.script)

    def script_of(content: Content) -> Script:
        assert content.launch is not None
        return script_of_scenario(content.launch.scenario_id)

    requested = [(message.content(scenarios[message.scenario_id]), message) for message in wanted.messages]
    played = played_by(requested, lambda index, path: in_messages(index, f"scenarioId.{path}"), script_of)
    return Taken(expand(requested, account=account, now=now, bulk_id=wanted.bulk_id), played)


def _notify_of(scenario: Scenario, message: IvrMessage) -> Notify | None:
    body = scenario.body
    if body.notify_url is None:
        return None
    return Notify(body.notify_url, body.notify_content_type or "application/json", message.notify_content_version)


ROUTES = (Route("POST", "/voice/ivr/1/messages", launch_scenarios, LaunchRequest, refusals=[DuplicateRefused]),)

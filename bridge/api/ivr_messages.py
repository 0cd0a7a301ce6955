"""``POST /voice/ivr/1/messages``: a scenario is launched (wire contract, section 5.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Self

from aiohttp import web
from pydantic import Field, StrictBool, StrictStr, model_validator

from bridge.api.errors import BadRequest
from bridge.api.members import Members, Sender
from bridge.api.orders import campaign_order, terms
from bridge.api.reading import read, read_body
from bridge.api.scripting import in_messages, played_by
from bridge.api.sending import Taken, keep
from bridge.api.services import ACCOUNT, SERVICES
from bridge.api.spoken import refuse_what_cannot_be_heard
from bridge.api.terms import Campaign, OptionalId, check_campaigns
from bridge.base.threads import LARGE
from bridge.messages.expansion import Order, expand
from bridge.messages.message import Content, Launch, Notify
from bridge.messages.scenario import Scenario
from bridge.scripts import Script, compile_scenario

Parameters = Annotated[dict[StrictStr, Annotated[StrictStr, Field(max_length=2_000)]], Field(max_length=100)]


class IvrMessage(Campaign):
    scenario_id: StrictStr
    sender: Sender = Field(default=None, alias="from")
    parameters: Parameters = Field(default_factory=dict)
    sensitive: StrictBool = False


class LaunchRequest(Members):
    bulk_id: OptionalId = None
    messages: Annotated[list[IvrMessage], Field(min_length=1)]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        check_campaigns(self.messages)
        return self


async def launch_scenarios(request: web.Request) -> web.StreamResponse:
    """Call numbers with scenarios."""
    services, account = request.app[SERVICES], request[ACCOUNT]
    wanted = await read_body(request, lambda body, rules: read(LaunchRequest, body, rules))
    scenarios = await services.store.scenarios.by_id(account, {message.scenario_id for message in wanted.messages})
    _refuse_unknown(wanted, scenarios)
    bulk, played = await LARGE.run(_launched, wanted, scenarios, account, services.rules().now)
    await refuse_what_cannot_be_heard(request, played)
    return await keep(request, bulk, services.store.messages.launch)


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

    orders = [_order(message, scenarios[message.scenario_id]) for message in wanted.messages]
    played = played_by(orders, lambda index, path: in_messages(index, f"scenarioId.{path}"), script_of)
    return Taken(expand(orders, account=account, now=now, bulk_id=wanted.bulk_id), played)


def _order(message: IvrMessage, scenario: Scenario) -> Order:
    body = scenario.body
    said = terms(message)
    content = Content(
        **{
            **said,
            "record": message.record or body.record,
            "notify": said["notify"] or _notify_of(scenario, message),
        },
        feature="ivr",
        sensitive=message.sensitive,
        launch=Launch(scenario.id, body.name, body.script, message.parameters),
    )
    return campaign_order(message, message.sender, content)


def _notify_of(scenario: Scenario, message: IvrMessage) -> Notify | None:
    body = scenario.body
    if body.notify_url is None:
        return None
    return Notify(body.notify_url, body.notify_content_type or "application/json", message.notify_content_version)

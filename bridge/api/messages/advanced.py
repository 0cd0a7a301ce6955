"""``POST /tts/3/advanced``: fully featured messages."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any, Self

from aiohttp import web
from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, model_validator

from bridge.api.http.errors import DuplicateRefused
from bridge.api.http.fields import Keys, RequestModel, Rules, detection_mode, empty_is_none, no_longer_than_a_script
from bridge.api.http.reading import read
from bridge.api.http.routes import Route
from bridge.api.messages.accepting import AcceptedAnswer, Taken, take_in
from bridge.api.messages.delivery import Campaign, OptionalId, check_campaigns
from bridge.api.messages.scripting import in_messages, played_by
from bridge.api.messages.utterance import Utterance
from bridge.messages.expansion import expand
from bridge.messages.message import Content, MachineDetection


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _object_or_list(value: Any) -> Any:
    if not isinstance(value, dict | list):
        raise ValueError("must be an object, or a list of groups")  # noqa: TRY004  pydantic tells only ValueError
    return value


# The entries are read by bridge.scripts, which names what is wrong by its path.
Actions = Annotated[list[Any], AfterValidator(no_longer_than_a_script)]
ActionGroups = Annotated[
    dict[str, Any] | list[Any], BeforeValidator(_object_or_list), AfterValidator(no_longer_than_a_script)
]


class AdvancedMessage(Utterance, Campaign):
    repeat_dtmf: Annotated[Keys | None, BeforeValidator(_upper), BeforeValidator(empty_is_none)] = None
    max_dtmf: Annotated[StrictInt, Field(ge=1, le=255)] | None = None
    dtmf_timeout: Annotated[StrictInt, Field(ge=1, le=600)] = 10
    machine_detection: Annotated[MachineDetection, BeforeValidator(detection_mode)] = "disable"
    call_transfers: Actions = Field(default_factory=list)
    actions: Actions | None = None
    action_groups: ActionGroups | None = None

    def content(self, request: AdvancedRequest) -> Content:
        """What its destinations share, by the defaults of the request that it stands in."""
        return Content(
            **self.heard,
            **self.options,
            repeat_dtmf=self.repeat_dtmf,
            max_dtmf=self.max_dtmf,
            dtmf_timeout=self.dtmf_timeout,
            machine_detection=self.machine_detection,
            call_transfers=self.call_transfers,
            actions=request.actions if self.actions is None else self.actions,
            action_groups=request.action_groups if self.action_groups is None else self.action_groups,
        )


class AdvancedRequest(RequestModel):
    """``actions`` and ``actionGroups`` at the top are the default for messages that have none of their own."""

    bulk_id: OptionalId = None
    messages: Annotated[list[AdvancedMessage], Field(min_length=1)]
    actions: Actions = Field(default_factory=list)
    action_groups: ActionGroups = Field(default_factory=dict)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        check_campaigns(self.messages)
        return self


async def send_advanced(request: web.Request) -> AcceptedAnswer:
    """Fully featured messages."""
    return await take_in(request, _read)


def _read(body: bytes, rules: Rules, account: str) -> Taken:
    wanted = read(AdvancedRequest, body, rules)
    requested = [(message.content(wanted), message) for message in wanted.messages]
    played = played_by(requested, partial(_place, wanted))
    return Taken(expand(requested, account=account, now=rules.now, bulk_id=wanted.bulk_id), played)


def _place(request: AdvancedRequest, index: int, path: str) -> str:
    """The path of a member at fault; one that the message takes over from the top of the request is named there."""
    message = request.messages[index]
    member = re.split(r"[.\[]", path, maxsplit=1)[0]
    from_the_top = (member == "actions" and message.actions is None) or (
        member == "actionGroups" and message.action_groups is None
    )
    return path if from_the_top else in_messages(index, path)


ROUTES = (Route("POST", "/tts/3/advanced", send_advanced, AdvancedRequest, refusals=[DuplicateRefused]),)

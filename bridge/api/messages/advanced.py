"""What may be sent to ``/tts/3/advanced`` (wire contract, sections 1.3 and 2)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, model_validator

from bridge.api.http.fields import Keys, Members, detection_mode, empty_is_none, no_longer_than_a_script
from bridge.api.messages.delivery import Campaign, OptionalId, check_campaigns
from bridge.api.messages.utterance import Utterance
from bridge.messages.message import MachineDetection


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _object_or_list(value: Any) -> Any:
    if not isinstance(value, dict | list):
        raise ValueError("must be an object, or a list of groups")  # noqa: TRY004  pydantic tells only ValueError
    return value


# What is inside is read by the scripts room, which names what is wrong by its path.
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


class AdvancedRequest(Members):
    """``actions`` and ``actionGroups`` at the top are the default for messages that have none of their own."""

    bulk_id: OptionalId = None
    messages: Annotated[list[AdvancedMessage], Field(min_length=1)]
    actions: Actions = Field(default_factory=list)
    action_groups: ActionGroups = Field(default_factory=dict)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        check_campaigns(self.messages)
        return self

"""What may be sent to ``/tts/3/advanced`` (wire contract, sections 1.3 and 2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StrictInt, model_validator

from bridge.api.members import Keys, Members, empty_is_none, lower
from bridge.api.requests import Utterance
from bridge.api.terms import Campaign, OptionalId, check_campaigns


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _groups_by_name(value: Any) -> Any:
    """``actionGroups`` may also be an array of ``{"name", "actions"}``."""
    if not isinstance(value, list):
        return value
    groups = {}
    for group in value:
        if not isinstance(group, dict) or not isinstance(group.get("name"), str) or "actions" not in group:
            raise ValueError("each group must have a name and actions")
        if group["name"] in groups:
            raise ValueError(f"two groups are named {group['name']}")
        groups[group["name"]] = group["actions"]
    return groups


Actions = list[dict[str, Any]]
ActionGroups = Annotated[dict[str, list[Any]], BeforeValidator(_groups_by_name)]


class AdvancedMessage(Utterance, Campaign):
    repeat_dtmf: Annotated[Keys | None, BeforeValidator(_upper), BeforeValidator(empty_is_none)] = None
    max_dtmf: Annotated[StrictInt, Field(ge=1, le=255)] | None = None
    dtmf_timeout: Annotated[StrictInt, Field(ge=1, le=600)] = 10
    machine_detection: Annotated[Literal["disable", "hangup", "continue"], BeforeValidator(lower)] = "disable"
    call_transfers: list[dict[str, Any]] = Field(default_factory=list)
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

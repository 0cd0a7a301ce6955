"""Whether what keys lead to can be carried out (wire contract, section 2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bridge.api.advanced import AdvancedMessage, AdvancedRequest
from bridge.api.errors import BadRequest
from bridge.messages.expansion import Order
from bridge.messages.message import Content
from bridge.scripts import ScriptInvalid, compile_message


def refuse_bad_scripts(request: AdvancedRequest, orders: Sequence[Order], languages: Collection[str]) -> None:
    """Raises BadRequest, which names every member at fault, when a message's script cannot be carried out."""
    problems: dict[str, list[str]] = {}
    for index, (message, order) in enumerate(zip(request.messages, orders, strict=True)):
        for path, texts in _problems(order.content, languages).items():
            problems[_place(path, message, index)] = texts
    if problems:
        raise BadRequest("what keys lead to cannot be carried out; see validationErrors", problems)


def _problems(content: Content, languages: Collection[str]) -> dict[str, list[str]]:
    try:
        compile_message(
            text=content.text,
            audio_url=content.audio_url,
            actions=content.actions,
            action_groups=content.action_groups,
            call_transfers=content.call_transfers,
            repeat_dtmf=content.repeat_dtmf,
            max_dtmf=content.max_dtmf,
            languages=languages,
        )
    except ScriptInvalid as error:
        return error.problems
    return {}


def _place(path: str, message: AdvancedMessage, index: int) -> str:
    """Members that a message takes over from the top of the request are at fault there."""
    from_the_top = (path.startswith("actions") and message.actions is None) or (
        path.startswith("actionGroups") and message.action_groups is None
    )
    return path if from_the_top else f"messages[{index}].{path}"

"""Whether what keys lead to can be carried out (wire contract, section 2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bridge.api.advanced import AdvancedMessage, AdvancedRequest
from bridge.api.errors import BadRequest
from bridge.api.members import Rules
from bridge.messages.expansion import Order
from bridge.messages.message import Content
from bridge.scripts import Script, ScriptInvalid, compile_message
from bridge.scripts.steps import PlayStep
from bridge.scripts.steps import Speech as Words
from bridge.speech import Phrase, Speech, SpeechError

_ANY_WORD = "1"
"""Which voice says something does not depend on what is said."""


def refuse_bad_scripts(request: AdvancedRequest, orders: Sequence[Order], rules: Rules) -> None:
    """Raises BadRequest, which names every member at fault, when a message's script cannot be carried out."""
    problems: dict[str, list[str]] = {}
    for index, (message, order) in enumerate(zip(request.messages, orders, strict=True)):
        for path, texts in _problems(order.content, rules).items():
            problems[_place(path, message, index)] = texts
    if problems:
        raise BadRequest("what keys lead to cannot be carried out; see validationErrors", problems)


def uploads_of(request: AdvancedRequest) -> dict[str, str]:
    """The ids of the uploads that action groups play, by the paths of the members that name them."""
    named = uploads_named(request.action_groups, "actionGroups")
    for index, message in enumerate(request.messages):
        named |= uploads_named(message.action_groups, f"messages[{index}].actionGroups")
    return named


def uploads_named(script: Any, path: str) -> dict[str, str]:
    """The ids of the uploads that verbs play, by the paths of the members that name them."""
    return dict(_uploads_named(script, path))


def _uploads_named(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _uploads_named(each, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, each in value.items():
            if name == "playFromUpload" and isinstance(each, str):
                yield f"{path}.{name}", each
            else:
                yield from _uploads_named(each, f"{path}.{name}")


def _problems(content: Content, rules: Rules) -> dict[str, list[str]]:
    try:
        script = compile_message(
            text=content.text,
            audio_url=content.audio_url,
            language=content.language,
            voice=content.voice,
            gender=content.gender,
            actions=content.actions,
            action_groups=content.action_groups,
            call_transfers=content.call_transfers,
            repeat_dtmf=content.repeat_dtmf,
            max_dtmf=content.max_dtmf,
            languages=rules.languages,
        )
    except ScriptInvalid as error:
        return error.problems
    unspoken = _unspoken(script, rules.speech, sensitive=content.sensitive)
    return {"actionGroups": unspoken} if unspoken else {}


def _unspoken(script: Script, speech: Speech, *, sensitive: bool) -> list[str]:
    """Why nobody can say what is to be said in these languages and voices."""
    voices = {
        step.source.voice for step in script.steps if isinstance(step, PlayStep) and isinstance(step.source, Words)
    }
    problems = []
    for voice in voices:
        try:
            speech.check(Phrase(_ANY_WORD, voice.language, voice.voice, voice.gender, sensitive=sensitive))
        except SpeechError as error:
            problems.append(str(error))
    return problems


def _place(path: str, message: AdvancedMessage, index: int) -> str:
    """Members that a message takes over from the top of the request are at fault there."""
    from_the_top = (path.startswith("actions") and message.actions is None) or (
        path.startswith("actionGroups") and message.action_groups is None
    )
    return path if from_the_top else f"messages[{index}].{path}"

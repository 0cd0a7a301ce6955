"""The scripts that a request asks for: whether they can be carried out, and what they play."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bridge.api.http.errors import MOST_PROBLEMS, BadRequest
from bridge.api.messages.spoken import PlayedByScripts
from bridge.calls.scripts import script_of
from bridge.messages.expansion import Requested, Sending
from bridge.messages.message import Content
from bridge.scripts import Script, ScriptInvalid


def played_by(
    requested: Sequence[Requested], place: Callable[[int, str], str], script_of: Callable[[Content], Script] = script_of
) -> PlayedByScripts:
    """What is played on the calls that are asked for; ``place`` gives the path in the request of a message's member.

    Raises BadRequest, which names every member at fault, when a script cannot be carried out.
    """
    played = PlayedByScripts()
    problems: dict[str, list[str]] = {}
    for index, (content, sending) in enumerate(requested):
        place_in_message = partial(place, index)
        try:
            script = script_of(content)
        except ScriptInvalid as error:
            problems |= {place_in_message(path): texts for path, texts in error.problems.items()}
        else:
            variables = _variables(content, sending)
            played.add(script, place_in_message, sensitive=content.sensitive, variables=variables)
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise BadRequest("what is to happen on the call cannot be carried out; see validationErrors", problems)
    return played


def in_messages(index: int, path: str) -> str:
    """The path in a request of a member of its messages."""
    return f"messages[{index}].{path}"


def _variables(content: Content, sending: Sending) -> dict[str, str]:
    """The variables of the call to the first destination: a voice that can say one number can say the others."""
    parameters = {} if content.launch is None else content.launch.parameters
    return {**parameters, "to": sending.destinations[0].to, "from": sending.sender or ""}

"""The scripts that a request asks for: whether they can be carried out, and what they play."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bridge.api.errors import MOST_PROBLEMS, BadRequest
from bridge.api.spoken import Played
from bridge.calls.scripts import script_of
from bridge.messages.expansion import Order
from bridge.messages.message import Content
from bridge.scripts import Script, ScriptInvalid


def played_by(
    orders: Sequence[Order], place: Callable[[int, str], str], script_of: Callable[[Content], Script] = script_of
) -> Played:
    """What is played on the calls that are ordered; ``place`` gives the path in the request of an order's member.

    Raises BadRequest, which names every member at fault, when a script cannot be carried out.
    """
    played = Played()
    problems: dict[str, list[str]] = {}
    for index, order in enumerate(orders):
        place_in_order = partial(place, index)
        try:
            script = script_of(order.content)
        except ScriptInvalid as error:
            problems |= {place_in_order(path): texts for path, texts in error.problems.items()}
        else:
            played.add(script, place_in_order, sensitive=order.content.sensitive, variables=_variables(order))
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise BadRequest("what is to happen on the call cannot be carried out; see validationErrors", problems)
    return played


def in_messages(index: int, path: str) -> str:
    """The path in a request of a member of its messages."""
    return f"messages[{index}].{path}"


def _variables(order: Order) -> dict[str, str]:
    """As the script of the first call finds them: a voice that can say one number can say the others."""
    launch = order.content.launch
    parameters = {} if launch is None else launch.parameters
    return {**parameters, "to": order.destinations[0].to, "from": order.sender or ""}

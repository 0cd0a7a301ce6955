"""The scripts of messages: what happens on their calls."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from bridge.base.errors import VoicebridgeError
from bridge.messages.message import Content, Message
from bridge.scripts import Script, compile_click_to_call, compile_message, compile_scenario

_MOST_KEPT = 100


class ContentUnreadable(VoicebridgeError):
    """What is to happen on the call was kept in a form that this version cannot carry out."""

    id = "CONTENT_UNREADABLE"


class Scripts:
    """Compiles each script once for all the calls that it is for, and keeps those that were used last."""

    def __init__(self) -> None:
        self._compiled: OrderedDict[tuple[str, str], Script] = OrderedDict()

    def of(self, content: Content) -> Script:
        """The script of a message, an IVR scenario or a click-to-call. It was checked with the request.

        Raises ContentUnreadable, and ScriptInvalid when another version accepted it.
        """
        if content.unreadable:
            raise ContentUnreadable("the message is damaged, or says something that this version does not know")
        compile_, members = _source(content)
        key = (compile_.__name__, json.dumps(members))
        script = self._compiled.pop(key, None) or compile_(**members)
        self._compiled[key] = script
        if len(self._compiled) > _MOST_KEPT:
            self._compiled.popitem(last=False)
        return script


def script_of(content: Content) -> Script:
    """The script of a message, an IVR scenario or a click-to-call. Raises ScriptInvalid."""
    compile_, members = _source(content)
    return compile_(**members)


def variables_of(message: Message) -> dict[str, str]:
    """The variables that a script starts with; an application's parameters do not hide ``to`` and ``from``."""
    launch = message.content.launch
    parameters = {} if launch is None else launch.parameters
    return {**parameters, "to": message.to, "from": message.sender or ""}


def _source(content: Content) -> tuple[Callable[..., Script], dict[str, Any]]:
    """The function that compiles a script, and all that it is compiled from."""
    if content.launch is not None:
        return compile_scenario, {"script": content.launch.script, "pause": content.pause}
    opening = {
        "text": content.text,
        "audio_url": content.audio_url,
        "language": content.language,
        "voice": content.voice,
        "gender": content.gender,
        "speech_rate": content.speech_rate,
        "pause": content.pause,
        "machine_detection": content.machine_detection,
    }
    if content.connection is not None:
        return compile_click_to_call, opening | {
            "destination_b": content.connection.to,
            "caller_id": content.connection.caller_id,
            "max_duration": content.connection.max_duration,
            "warning_time": content.connection.warning_time,
        }
    return compile_message, opening | {
        "actions": content.actions,
        "action_groups": content.action_groups,
        "call_transfers": content.call_transfers,
        "repeat_dtmf": content.repeat_dtmf,
        "max_dtmf": content.max_dtmf,
        "dtmf_timeout": content.dtmf_timeout,
    }

"""What happens on the call of a message."""

from __future__ import annotations

from bridge.messages.message import Connection, Content, Message
from bridge.scripts import Script, compile_click_to_call, compile_message, compile_scenario


def script_of(content: Content) -> Script:
    """The script of a message, an IVR scenario or a click-to-call. It was checked when it was taken in."""
    if content.launch is not None:
        return compile_scenario(content.launch.script, pause=content.pause)
    if content.connection is not None:
        return _click_to_call(content, content.connection)
    return compile_message(
        text=content.text,
        audio_url=content.audio_url,
        language=content.language,
        voice=content.voice,
        gender=content.gender,
        speech_rate=content.speech_rate,
        pause=content.pause,
        machine_detection=content.machine_detection,
        actions=content.actions,
        action_groups=content.action_groups,
        call_transfers=content.call_transfers,
        repeat_dtmf=content.repeat_dtmf,
        max_dtmf=content.max_dtmf,
        dtmf_timeout=content.dtmf_timeout,
    )


def variables_of(message: Message) -> dict[str, str]:
    """The variables that the script finds at its start; an application's parameters do not hide ``to`` and ``from``."""
    launch = message.content.launch
    parameters = {} if launch is None else launch.parameters
    return {**parameters, "to": message.to, "from": message.sender or ""}


def _click_to_call(content: Content, connection: Connection) -> Script:
    return compile_click_to_call(
        destination_b=connection.to,
        caller_id=connection.caller_id,
        text=content.text,
        audio_url=content.audio_url,
        language=content.language,
        voice=content.voice,
        gender=content.gender,
        speech_rate=content.speech_rate,
        pause=content.pause,
        machine_detection=content.machine_detection,
        max_duration=connection.max_duration,
        warning_time=connection.warning_time,
    )

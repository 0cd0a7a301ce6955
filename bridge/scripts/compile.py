"""Compiler: makes a script of a message, an IVR scenario or a click-to-call.

Arguments have the names of the API's members, in snake case. Times are seconds. Each function raises ScriptInvalid with
all that is wrong; whether a voice can speak the texts is checked elsewhere.
"""

from __future__ import annotations

from typing import Any, Literal

from bridge.scripts import verbs
from bridge.scripts.builder import ScriptBuilder
from bridge.scripts.commands import Audio
from bridge.scripts.engine.playing import PlayStep, SpeechOptions, SpeechSource, TemplateSource
from bridge.scripts.language.members import MemberReader
from bridge.scripts.language.templates import fixed
from bridge.scripts.menu import read_menu
from bridge.scripts.script import Script
from bridge.scripts.verbs.dial import DialStep
from bridge.scripts.verbs.hangup import HangUpStep
from bridge.scripts.verbs.machine_detection import await_the_greeting_of_a_machine, hang_up_on_a_machine
from bridge.scripts.verbs.pause import silence

MachineDetection = Literal["disable", "hangup", "continue"]


def compile_message(
    *,
    text: str | None = None,
    audio_url: str | None = None,
    language: str = "en",
    voice: str | None = None,
    gender: str | None = None,
    speech_rate: float = 1.0,
    pause: float = 0,
    machine_detection: MachineDetection = "disable",
    actions: Any = None,
    action_groups: Any = None,
    call_transfers: Any = None,
    repeat_dtmf: Any = None,
    max_dtmf: Any = None,
    dtmf_timeout: float = 10,
) -> Script:
    """A message of ``/tts/3``: ``text`` or ``audio_url`` is played, then keys choose what follows.

    ``actions``, ``action_groups``, ``call_transfers``, ``repeat_dtmf`` and ``max_dtmf`` are decoded JSON as it came and
    are checked here, with paths relative to the message (``actionGroups.agent[0].dial``); the rest is checked already.
    """
    script = _builder(_of_message(language, voice, gender, speech_rate))
    keys = MemberReader(
        {
            "actions": actions,
            "actionGroups": action_groups,
            "callTransfers": call_transfers,
            "repeatDtmf": repeat_dtmf,
            "maxDtmf": max_dtmf,
        },
        "",
        script.problems,
    )
    _detect_machine(machine_detection, script)
    _pause(pause, script)
    start = script.placed_label()
    _play_message(text, audio_url, script)
    if any(keys.value.values()):
        if machine_detection == "continue":
            hang_up_on_a_machine(script)  # it has the message now, and presses no keys
        read_menu(keys, script, start, dtmf_timeout)
    return script.finished()


def compile_scenario(
    script: Any,
    *,
    pause: float = 0,
    language: str = "en",
) -> Script:
    """An IVR scenario: ``script`` is its decoded list of actions; paths begin with ``script``."""
    scenario = _builder(SpeechOptions(language))
    _pause(pause, scenario)
    if script == []:
        scenario.problems.add("script", "must have at least one action")
    scenario.read_verbs(script, "script")
    scenario.close_scope()
    return scenario.finished()


def compile_click_to_call(
    *,
    destination_b: str,
    caller_id: str | None,
    text: str | None = None,
    audio_url: str | None = None,
    language: str = "en",
    voice: str | None = None,
    gender: str | None = None,
    speech_rate: float = 1.0,
    pause: float = 0,
    machine_detection: MachineDetection = "disable",
    max_duration: int | None = None,
    warning_time: int | None = None,
) -> Script:
    """A click-to-call: the call to A is the message's own; here A hears the text and is joined with B.

    Everything is checked already: ``destination_b`` and ``caller_id`` (what B is shown) are digits. The warning tone
    sounds ``warning_time`` before the end of ``max_duration``.
    """
    script = _builder(_of_message(language, voice, gender, speech_rate))
    _detect_machine(machine_detection, script)
    _pause(pause, script)
    if text is not None or audio_url is not None:
        _play_message(text, audio_url, script)
    script.add(
        DialStep(
            numbers=(fixed(destination_b),),
            caller_id=None if caller_id is None else fixed(caller_id),
            max_seconds=max_duration,
            warning_seconds=warning_time,
        ),
        HangUpStep(),
    )
    return script.finished()


def _builder(speech: SpeechOptions) -> ScriptBuilder:
    return ScriptBuilder(verbs.OBJECTS, verbs.WORDS, speech)


def _of_message(language: str, voice: str | None, gender: str | None, rate: float) -> SpeechOptions:
    return SpeechOptions(language, voice, gender, rate, "language", "voice.name")


def _detect_machine(mode: MachineDetection, script: ScriptBuilder) -> None:
    if mode == "hangup":
        hang_up_on_a_machine(script)
    elif mode == "continue":
        await_the_greeting_of_a_machine(script)


def _pause(seconds: float, script: ScriptBuilder) -> None:
    """Silence between the answer and what follows."""
    if seconds > 0:
        script.add(silence(seconds))


def _play_message(text: str | None, audio_url: str | None, script: ScriptBuilder) -> None:
    """The message itself, exactly as it was written."""
    if text is not None:
        script.add(PlayStep(SpeechSource(fixed(text), script.speech), path="text"))
    else:
        script.add(PlayStep(TemplateSource(Audio, fixed(audio_url or "")), path="audioFileUrl"))

"""Requests into scripts: a message, an IVR scenario, a click-to-call.

The arguments carry the names of the wire in our spelling. Times are seconds. Each function raises ScriptInvalid with
all that is wrong; whether somebody can speak the texts is asked elsewhere.
"""

from __future__ import annotations

from typing import Any

from bridge.scripts.commands import Say
from bridge.scripts.engine import opening
from bridge.scripts.engine.opening import MachineDetection
from bridge.scripts.language.build import Build
from bridge.scripts.language.members import Members
from bridge.scripts.language.templates import fixed
from bridge.scripts.script import Script
from bridge.scripts.steps import DialStep, HangUpStep, Speech
from bridge.scripts.verbs.actions import compile_actions
from bridge.scripts.verbs.verbs import compile_verbs


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
    build = Build(_speaker(language, voice, gender, speech_rate))
    keys = Members(
        {
            "actions": actions,
            "actionGroups": action_groups,
            "callTransfers": call_transfers,
            "repeatDtmf": repeat_dtmf,
            "maxDtmf": max_dtmf,
        },
        "",
        build.problems,
    )
    opening.detect(machine_detection, build)
    opening.pause(pause, build)
    start = build.placed_label()
    opening.message(text, audio_url, build)
    if any(keys.value.values()):
        if machine_detection == "continue":
            opening.hang_up_on_a_machine(build)  # it has the message now, and presses no keys
        compile_actions(keys, build, start, dtmf_timeout)
    return build.script()


def compile_scenario(
    script: Any,
    *,
    pause: float = 0,
    language: str = "en",
) -> Script:
    """An IVR scenario: ``script`` is its decoded list of actions; paths begin with ``script``."""
    build = Build(Speech(fixed(""), Say("", language)))
    opening.pause(pause, build)
    if script == []:
        build.problems.add("script", "must have at least one action")
    compile_verbs(script, "script", build)
    build.close_scope()
    return build.script()


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
    build = Build(_speaker(language, voice, gender, speech_rate))
    opening.detect(machine_detection, build)
    opening.pause(pause, build)
    if text is not None or audio_url is not None:
        opening.message(text, audio_url, build)
    build.add(
        DialStep(
            numbers=(fixed(destination_b),),
            caller_id=None if caller_id is None else fixed(caller_id),
            max_seconds=max_duration,
            warning_seconds=warning_time,
        ),
        HangUpStep(),
    )
    return build.script()


def _speaker(language: str, voice: str | None, gender: str | None, rate: float) -> Speech:
    return Speech(fixed(""), Say("", language, voice, gender, rate), "language", "voice.name")

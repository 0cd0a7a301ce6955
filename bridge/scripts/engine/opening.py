"""How a call begins: who answered, the pause, the message."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from bridge.scripts.commands import Silence
from bridge.scripts.language.build import Build
from bridge.scripts.language.expressions import Binary, Expression, Name
from bridge.scripts.language.expressions import Literal as Constant
from bridge.scripts.language.templates import fixed
from bridge.scripts.steps import (
    AwaitGreetingStep,
    DetectStep,
    Download,
    HangUpStep,
    IfStep,
    PlayStep,
)

MachineDetection = Literal["disable", "hangup", "continue"]

MACHINE_ANSWERED: Expression = Binary("==", Name("answeredBy"), Constant("machine"))


def hang_up_on_a_machine(build: Build) -> None:
    """Ends the call when the detector hears a machine."""
    end = build.label()
    build.add(DetectStep(), IfStep(MACHINE_ANSWERED, end), HangUpStep())
    build.place(end)


def await_the_greeting_of_a_machine(build: Build) -> None:
    """Waits until a machine's greeting is over; goes on at once for everybody else."""
    end = build.label()
    build.add(DetectStep(), IfStep(MACHINE_ANSWERED, end), AwaitGreetingStep())
    build.place(end)


def detect(mode: MachineDetection, build: Build) -> None:
    """What ``machineDetection`` of a message asks for."""
    if mode == "hangup":
        hang_up_on_a_machine(build)
    elif mode == "continue":
        await_the_greeting_of_a_machine(build)


def pause(seconds: float, build: Build) -> None:
    """Silence between the answer and what follows."""
    if seconds > 0:
        build.add(PlayStep(Silence(float(seconds))))


def message(text: str | None, audio_url: str | None, build: Build) -> None:
    """The message itself, exactly as it was written."""
    if text is not None:
        build.add(PlayStep(replace(build.voice, text=fixed(text)), path="text"))
    else:
        build.add(PlayStep(Download(fixed(audio_url or "")), path="audioFileUrl"))

"""Playing of prompts: where they come from, and the step that plays them, used by every verb that is heard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import ClassVar

from bridge.base.urls import url_problem
from bridge.scripts import limits
from bridge.scripts.commands import KEYS, Audio, Play, Prompt, RecordedAudio, Say, Stop, Tty
from bridge.scripts.engine.awaited import Reply, Waiting
from bridge.scripts.engine.run import Place, Run, Step
from bridge.scripts.events import Played
from bridge.scripts.language.checks import can_be_spoken
from bridge.scripts.language.expressions import Variables
from bridge.scripts.language.templates import Template


class Source(ABC):
    """Where a prompt comes from. Immutable."""

    __slots__ = ()

    @property
    @abstractmethod
    def names(self) -> frozenset[str]:
        """The variables that shape the prompt."""

    @abstractmethod
    def render(self, variables: Variables) -> Prompt:
        """The prompt, with the variables as they stand. No value is trusted yet."""


@dataclass(frozen=True, slots=True)
class FixedSource(Source):
    """A prompt that is the same on every call."""

    prompt: Prompt

    @property
    def names(self) -> frozenset[str]:
        return frozenset()

    def render(self, _variables: Variables) -> Prompt:
        return self.prompt


@dataclass(frozen=True, slots=True)
class TemplateSource(Source):
    """A prompt of this ``kind``, made of one text."""

    kind: type[Audio | RecordedAudio | Tty]
    template: Template

    @property
    def names(self) -> frozenset[str]:
        return self.template.names

    def render(self, variables: Variables) -> Prompt:
        return self.kind(self.template.render(variables))


@dataclass(frozen=True, slots=True)
class SpeechOptions:
    """How a text is spoken; the paths are those of the members that choose language and voice."""

    language: str = "en"
    voice: str | None = None
    gender: str | None = None
    rate: float = 1.0
    language_path: str | None = field(default=None, compare=False)
    voice_path: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SpeechSource(Source):
    """A text that is spoken."""

    text: Template
    options: SpeechOptions

    @property
    def names(self) -> frozenset[str]:
        return self.text.names

    def render(self, variables: Variables) -> Prompt:
        options = self.options
        return Say(self.text.render(variables), options.language, options.voice, options.gender, options.rate)


@dataclass(frozen=True, slots=True)
class PlayStep(Step):
    """Plays what the source gives; ``path`` is that of the member which names it.

    When the script listens for keys next, a key ends the prompt, and the other prompts before the listening are left
    out.
    """

    leaves_no_silence: ClassVar[bool] = True

    source: Source
    loops: int = 1
    path: str = field(default="", compare=False)

    def perform(self, run: Run) -> Waiting:
        prompt = playable(self.source.render(run.variables))
        stops_for_keys = run.leads_to_listening()
        if prompt is None or (stops_for_keys and run.keys):
            return
        play = Play(run.new_id(), prompt, self.loops, KEYS if stops_for_keys else "")
        yield Reply(play, Played, stop=Stop(play.id), stop_keys=play.stop_keys)

    def look_ahead(self, _place: Place) -> bool:
        return True


def playable(prompt: Prompt) -> Prompt | None:
    """The prompt as it is really played, or None when there is nothing to be heard."""
    match prompt:
        case Say(text) | Tty(text):
            spoken = text[: limits.MAX_TEXT]
            return replace(prompt, text=spoken) if can_be_spoken(spoken) else None
        case Audio(url) if url_problem(url):
            return None
        case _:
            return prompt

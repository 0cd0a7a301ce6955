"""Compiled script, and what can be known of it before the call: its prompts, texts and uploads.

Every script has one form: a flat list of steps with labels to jump to. Steps are performed one after the other unless
they jump. The end of the list ends the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bridge.scripts.commands import Prompt, RecordedAudio, Say, Tty, UploadedAudio
from bridge.scripts.engine.playing import FixedSource, PlayStep, SpeechOptions, SpeechSource
from bridge.scripts.engine.run import EVERY_VARIABLE, Step
from bridge.scripts.language.checks import can_be_spoken
from bridge.scripts.language.expressions import Variables


@dataclass(frozen=True, slots=True)
class SpokenText:
    """What is known of a text that is to be spoken, the path of the member that has it, and how it is spoken.

    ``is_whole`` says that nothing of the text depends on what is not known yet.
    """

    text: str
    path: str
    options: SpeechOptions
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Script:
    """What happens on one call. Immutable. ``targets`` are where the labels lead: indexes of steps."""

    steps: tuple[Step, ...]
    targets: tuple[int, ...]

    @property
    def listens(self) -> bool:
        """Whether there may be times when nothing is played: it does more than play one prompt after the other."""
        return not all(step.leaves_no_silence for step in self.steps)

    @property
    def hides_keys(self) -> bool:
        """Whether some keys must not be shown as they were pressed."""
        return any(step.hides_keys for step in self.steps)

    def prompts(self, variables: Variables) -> list[Prompt]:
        """Everything that may be played and is known before the call, each once, in the order it was written.

        ``variables`` are the call's parameters, ``to`` and ``from``. What depends on the call itself is left out:
        collected keys, responses, recordings.
        """
        is_known = self._is_known()
        known = (step.source.render(variables) for step in self._plays() if is_known(step.source.names))
        return [prompt for prompt in dict.fromkeys(known) if _can_be_made(prompt)]

    def texts(self, variables: Variables | None) -> Iterator[SpokenText]:
        """Every text that may be spoken, as far as it is known with these variables (None: when there are none yet)."""
        is_known = frozenset[str]().issuperset if variables is None else self._is_known()
        for step in self._plays():
            if isinstance(step.source, SpeechSource):
                template = step.source.text
                text = template.known(variables or {}, is_known)
                yield SpokenText(text, step.path, step.source.options, is_known(template.names))

    def uploads(self) -> Iterator[tuple[str, str]]:
        """The id of every upload that may be played, and the path of the member that names it."""
        for step in self._plays():
            match step.source:
                case FixedSource(UploadedAudio(id)):
                    yield id, step.path

    def _plays(self) -> Iterator[PlayStep]:
        return (step for step in self.steps if isinstance(step, PlayStep))

    def _is_known(self) -> Callable[[Iterable[str]], bool]:
        """A test whether all of some variables keep, during the call, the values that they have before it."""
        assigned = frozenset[str]().union(*(step.assigns for step in self.steps))
        return frozenset[str]().issuperset if assigned >= EVERY_VARIABLE else assigned.isdisjoint


def _can_be_made(prompt: Prompt) -> bool:
    """Whether there is something to be heard that does not come from the call itself."""
    match prompt:
        case RecordedAudio():
            return False
        case Say(text) | Tty(text):
            return can_be_spoken(text)
        case _:
            return True

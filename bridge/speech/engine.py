"""The interface of speech engines: voices, synthesis, and an engine's entry in the registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.speech.sound.samples import Waveform


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What engines are built from. ``timeout`` is seconds for one fragment."""

    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice as a caller names it; ``code`` is what its engine calls it."""

    name: str
    gender: str
    engine: str
    code: str
    is_default: bool = False


class Engine(Protocol):
    """Turns one fragment of text into a waveform.

    ``local`` engines send nothing over the network. ``version`` is known once the engine has started and is part of
    the cache's key. ``concurrency`` requests may run at once, each for at most ``timeout`` seconds: the
    caller keeps to both.
    """

    name: str
    local: bool
    version: str
    concurrency: int
    timeout: float

    async def start(self) -> None:
        """Raises EngineUnavailableError, saying what is missing."""

    async def close(self) -> None: ...

    def languages(self) -> list[str]:
        """Language codes of the API that this engine speaks."""

    def voices(self, language: str) -> list[Voice]:
        """The voices for a language code of the API, the default first; empty for one that it does not speak."""

    async def unheard(self, texts: Sequence[str], voice: Voice) -> list[str]:
        """Characters of ``texts`` that the voice would pass over, each once, in order: all, or the first of many.

        Raises EngineFailedError when it cannot be found out.
        """

    async def synthesize(self, text: str, voice: Voice, rate: float) -> Waveform:
        """Speak one fragment; ``rate`` is 0.5 to 2. Raises EngineFailedError, which never quotes the text."""


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """An engine's entry in the registry. ``remedy`` is what ``doctor`` advises when it does not speak.

    The fields after it are its line in the documentation: where it speaks, which languages, what it needs, what else to
    know.
    """

    build: Callable[[EngineSettings], Engine]
    remedy: str
    where: str
    languages: str
    needs: str
    notes: str

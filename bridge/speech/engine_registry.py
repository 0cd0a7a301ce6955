"""The engines a setting can name."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.speech.engine import Engine
from bridge.speech.engines.espeak_ng.engine import EspeakEngine
from bridge.speech.engines.gtts import GttsEngine
from bridge.speech.errors import EngineUnavailableError

ENGINES: dict[str, type[EspeakEngine] | type[GttsEngine]] = {
    EspeakEngine.name: EspeakEngine,
    GttsEngine.name: GttsEngine,
}


def build_engines(names: Sequence[str]) -> list[Engine]:
    """Engines in the order they are to be asked; raises EngineUnavailableError for a name that is none."""
    unknown = [name for name in names if name not in ENGINES]
    if unknown:
        raise EngineUnavailableError(f"no engine {', '.join(unknown)}; there are {', '.join(ENGINES)}")
    return [ENGINES[name]() for name in names]

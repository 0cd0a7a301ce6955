"""The registry of engines: each module of ``engines/`` is one. Settings, ``doctor`` and documentation ask here.

An engine has the name of its module, with ``-`` for ``_``. The names are known without loading any engine; an engine's
module is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from bridge.speech import engines
from bridge.speech.engine import Engine, EngineEntry, EngineSettings
from bridge.speech.errors import EngineUnavailableError

ENGINE_NAMES = tuple(sorted(module.name.replace("_", "-") for module in iter_modules(engines.__path__)))

DEFAULT_ENGINES = ("espeak-ng",)
"""It is always there, and speaks nearly every language."""

_DEFAULTS = EngineSettings()


def engine_entry(name: str) -> EngineEntry:
    """An engine's entry. Raises EngineUnavailableError for an unknown name."""
    if name not in ENGINE_NAMES:
        raise EngineUnavailableError(f"no engine {name}; there are {', '.join(ENGINE_NAMES)}")
    module = import_module(f"{engines.__name__}.{name.replace('-', '_')}")
    entry: EngineEntry = module.ENGINE
    return entry


def build_engines(names: Sequence[str], settings: EngineSettings = _DEFAULTS) -> list[Engine]:
    """Engines in the order they are to be asked; raises EngineUnavailableError for an unknown name."""
    return [engine_entry(name).build(settings) for name in names]

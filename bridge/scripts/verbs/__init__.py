"""Registry of verbs: each has a file in this folder, in which its ``VERB`` says how it is read and documented."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from bridge.scripts.builder import Verb

ALL: tuple[Verb, ...] = tuple(import_module(f"{__name__}.{module.name}").VERB for module in iter_modules(__path__))
OBJECTS = {verb.name: verb for verb in ALL if not verb.is_word}
WORDS = {verb.name: verb for verb in ALL if verb.is_word}

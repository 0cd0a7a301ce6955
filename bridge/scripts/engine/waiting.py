"""What a call waits for; one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.scripts.engine.keys import Entry
from bridge.scripts.steps import CollectStep, DialStep, ListenStep


@dataclass(slots=True)
class Playing:
    id: int
    stops_for_keys: bool
    is_stopping: bool = False


@dataclass(slots=True)
class Entering:
    entry: Entry
    step: ListenStep | CollectStep


@dataclass(slots=True)
class Recording:
    id: int
    stop_keys: str
    is_stopping: bool = False


@dataclass(slots=True)
class Dialling:
    id: int
    step: DialStep
    left: list[tuple[str, ...]]


@dataclass(slots=True)
class Requesting:
    id: int


@dataclass(slots=True)
class Detecting:
    pass


@dataclass(slots=True)
class Greeting:
    pass


Waiting = Playing | Entering | Recording | Dialling | Requesting | Detecting | Greeting

"""Wakeups: telling those who wait for work that there may be some."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from enum import StrEnum

from sqlalchemy import Connection

_ANNOUNCED = "announced"


class Topic(StrEnum):
    """The kind of work that there may be."""

    DUE = "due"
    """A message may be due to be called."""

    PUSH = "push"
    """A report may be due to be pushed."""

    CANCELED = "canceled"
    """A bulk was canceled of which calls may be under way."""


def announce(connection: Connection, topic: Topic) -> None:
    """Wake those who wait for ``topic``, on every node, once the transaction is committed."""
    connection.info.setdefault(_ANNOUNCED, set()).add(topic)


def collected(connection: Connection) -> set[Topic]:
    """What was announced on the connection since this was last asked."""
    topics: set[Topic] = connection.info.pop(_ANNOUNCED, set())
    return topics


class Wakeups:
    """Those who wait for work, in this process, by its kind."""

    def __init__(self) -> None:
        self._callbacks: dict[Topic, list[Callable[[], None]]] = defaultdict(list)

    def subscribe(self, topic: Topic, callback: Callable[[], None]) -> None:
        """Have ``callback`` called on the event loop whenever there may be such work."""
        self._callbacks[topic].append(callback)

    def wake(self, topics: Iterable[Topic]) -> None:
        """Call those who wait for these topics; to be called on the event loop."""
        for topic in topics:
            for callback in self._callbacks[topic]:
                callback()

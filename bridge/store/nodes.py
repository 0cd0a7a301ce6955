"""Nodes and their leases: which nodes there are, and until when each counts as alive."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select, text, update

from bridge.base.errors import VoicebridgeError
from bridge.store.columns import Instant
from bridge.store.database import Database
from bridge.store.tables import nodes


class NodeNameTaken(VoicebridgeError):
    """A daemon with another data folder, mostly on another machine, has this node's name."""

    id = "NODE_NAME_TAKEN"


class Nodes:
    """The nodes of one database.

    ``instance`` tells processes apart that had a node's name one after the other. ``place`` is the id of the data
    folder: it tells this machine from others with nodes of the same name.
    """

    def __init__(self, database: Database, place: str) -> None:
        self._database = database
        self.place = place
        self._instances: dict[str, str] = {}

    def instance_of(self, node: str) -> str | None:
        """The instance with which this process took a node's name; None when it did not."""
        return self._instances.get(node)

    async def take(self, node: str, instance: str, now: datetime, until: datetime) -> None:
        """Take a node's name until a moment; the process that had it before is superseded.

        Raises NodeNameTaken while a daemon with another data folder has it by a lease.
        """
        await self._database.write(_take, node, instance=instance, place=self.place, now=now, until=until)
        self._instances[node] = instance

    async def renew(self, node: str, instance: str, until: datetime) -> bool:
        """Keep the name longer; False when another instance has taken it."""
        return await self._database.write(_renew, node, instance, until)

    async def leave(self, node: str, instance: str) -> None:
        """Give the name back, unless another instance has taken it."""
        await self._database.write(_leave, node, instance)


_THIS = (nodes.c.name == bindparam("node"), nodes.c.instance == bindparam("of_instance"))
_TAKE = text(
    "INSERT INTO nodes (name, instance, place, leased_until) VALUES (:node, :of_instance, :of_place, :until)"
    " ON CONFLICT (name) DO UPDATE"
    " SET instance = excluded.instance, place = excluded.place, leased_until = excluded.leased_until"
    " WHERE nodes.place = excluded.place OR nodes.leased_until < :now"
).bindparams(bindparam("until", type_=Instant), bindparam("now", type_=Instant))
_RENEW = update(nodes).where(*_THIS).values(leased_until=bindparam("until"))
_LEAVE = delete(nodes).where(*_THIS)

LIVE = select(func.count()).select_from(nodes).where(nodes.c.leased_until > bindparam("now"))
"""How many nodes are alive."""

_LEASES = select(nodes.c.name, nodes.c.leased_until)

INSTANCE = select(nodes.c.instance).where(nodes.c.name == bindparam("node"))
"""Which instance has a node's name."""


def _take(connection: Connection, node: str, *, instance: str, place: str, now: datetime, until: datetime) -> None:
    values = {"node": node, "of_instance": instance, "of_place": place, "now": now, "until": until}
    if connection.execute(_TAKE, values).rowcount == 0:
        raise NodeNameTaken(
            f"another machine is the node {node!r}: give this one a VOICEBRIDGE_NODE of its own,"
            " or wait for the end of its lease, 15 s, if that machine is gone"
        )


def _renew(connection: Connection, node: str, instance: str, until: datetime) -> bool:
    return connection.execute(_RENEW, {"node": node, "of_instance": instance, "until": until}).rowcount > 0


def _leave(connection: Connection, node: str, instance: str) -> None:
    connection.execute(_LEAVE, {"node": node, "of_instance": instance})


def leases(connection: Connection) -> dict[str, datetime]:
    """Until when each node's lease goes, or went; nodes that gave their name back are not there."""
    return {row.name: row.leased_until for row in connection.execute(_LEASES)}


def has_name(connection: Connection, node: str, instance: str | None) -> bool:
    """Whether an instance still has the node's name; until the transaction ends nobody can take it."""
    locked = INSTANCE.with_for_update(read=True)
    return connection.execute(locked, {"node": node}).scalar_one_or_none() == instance

"""One carrier, and nodes that call through it: each an Asterisk, a daemon, and a proxy on the link between them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from bridge.base.errors import VoicebridgeError
from bridge.lab.lab import Lab
from bridge.lab.programs import find_asterisk
from bridge.lab.telephones import PhoneCall
from tests.chaos.ami_proxy import AmiProxy
from tests.postgres import Postgres

API_KEY = "a-key-of-the-whole-fleet"
HEADERS = {"Authorization": f"App {API_KEY}"}
DAEMON, ASTERISK = "VOICEBRIDGE_PID", "ASTERISK_PID"

_TRIES_TO_START = 5


@dataclass(frozen=True, slots=True)
class ListedChannel:
    """A channel of an Asterisk; ``caller_id`` tells, at the carrier, which node calls."""

    name: str
    caller_id: str


@dataclass(slots=True)
class Node:
    """An Asterisk and a daemon. ``caller_id`` is what its calls show, so that telephones know who called."""

    lab: Lab
    proxy: AmiProxy
    caller_id: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.lab.ports.http}"

    @property
    def asterisk_configuration(self) -> Path:
        return self.lab.directory / "asterisk/etc/asterisk.conf"

    @property
    def carrier_configuration(self) -> Path:
        return self.lab.directory / "carrier/etc/asterisk.conf"

    def pid(self, part: str) -> int:
        return int(self.lab.environment()[part])

    async def up(self) -> list[str]:
        """Start what does not run, and tell its names; tried again when the database is just starting."""
        for _ in range(_TRIES_TO_START - 1):
            try:
                return await asyncio.to_thread(self.lab.up)
            except VoicebridgeError:
                continue
        return await asyncio.to_thread(self.lab.up)

    def kill(self, *parts: str) -> None:
        """End parts as a power failure would."""
        for part in parts:
            os.kill(self.pid(part), signal.SIGKILL)

    async def console(self, command: str, *, of_carrier: bool = False) -> str:
        """What the command line of the node's Asterisk, or of the carrier, answers."""
        configuration = self.carrier_configuration if of_carrier else self.asterisk_configuration
        program = [*find_asterisk().command, "-C", str(configuration), "-rx", command]
        done = await asyncio.to_thread(subprocess.run, program, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout

    async def channels(self, *, of_carrier: bool = False) -> list[ListedChannel]:
        """The channels of the node's Asterisk, or of the carrier."""
        shown = await self.console("core show channels concise", of_carrier=of_carrier)
        fields = [line.split("!") for line in shown.splitlines() if "!" in line]
        return [ListedChannel(one[0], one[7]) for one in fields]


@dataclass(slots=True)
class Fleet:
    """All nodes; the first one has the carrier. ``postgres`` is where they meet, None when there is one with SQLite.

    ``deaths`` are the moments when an Asterisk was killed.
    """

    postgres: Postgres | None = None
    nodes: list[Node] = field(default_factory=list)
    deaths: list[datetime] = field(default_factory=list)

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    @property
    def database_url(self) -> str:
        return self.nodes[0].lab.environment()["VOICEBRIDGE_DATABASE_URL"]

    def phone_calls(self, numbers: Iterable[str]) -> dict[str, list[PhoneCall]]:
        """The calls that telephones saw to their end, by number, in the order in which they began."""
        asked = set(numbers)
        calls = [call for call in self.nodes[0].lab.phone_calls() if call.number in asked]
        calls.sort(key=lambda call: (call.number, call.started))
        return {number: list(of_number) for number, of_number in groupby(calls, lambda call: call.number)}

    async def kill_asterisk(self, node: Node) -> None:
        """As a power failure would. The network notices, and ends the calls at the telephones."""
        node.kill(ASTERISK)
        self.deaths.append(datetime.now(UTC))
        await self.hang_up_telephones(node.caller_id)

    async def hang_up_telephones(self, caller_id: str) -> None:
        """End what telephones still hold of calls whose caller is gone."""
        carrier = self.nodes[0]
        for channel in await carrier.channels(of_carrier=True):
            if channel.caller_id == caller_id:
                await carrier.console(f"channel request hangup {channel.name}", of_carrier=True)


async def start_fleet(
    folders: Sequence[Path], settings: Mapping[str, str] | None = None, postgres: Postgres | None = None
) -> Fleet:
    """As many nodes as there are folders; what was started is stopped when one cannot start."""
    fleet = Fleet(postgres)
    settings = dict(settings or {})
    if postgres is not None:
        settings["VOICEBRIDGE_DATABASE_URL"] = postgres.new_database()
    try:
        for index, folder in enumerate(folders):
            fleet.nodes.append(await _start_node(folder, index, fleet, settings))
    except BaseException:
        await stop_fleet(fleet)
        raise
    return fleet


async def stop_fleet(fleet: Fleet) -> None:
    for node in reversed(fleet.nodes):
        await asyncio.to_thread(node.lab.down)
        await node.proxy.close()


async def _start_node(folder: Path, index: int, fleet: Fleet, settings: dict[str, str]) -> Node:
    caller_id = f"4179000{index:04}"
    own = {"VOICEBRIDGE_API_KEY": API_KEY, "VOICEBRIDGE_CALLER_ID": caller_id}
    if fleet.nodes:
        own["VOICEBRIDGE_TRUNK_URI"] = f"sip:127.0.0.1:{fleet.nodes[0].lab.ports.carrier_sip}"
    proxy = AmiProxy(lambda: lab.ports.ami)
    await proxy.start()
    lab = Lab(folder, own | settings, proxy.port)
    try:
        await asyncio.to_thread(lab.up)
    except BaseException:
        await proxy.close()
        raise
    return Node(lab, proxy, caller_id)

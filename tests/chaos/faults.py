"""Faults in a fleet. Each but ``node_dies`` ends by itself: afterwards everything is there again."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from random import Random

from tests.chaos.fleet import DAEMON, Fleet, Node
from tests.chaos.traffic import Application
from tests.own_processes import sent

SLOW_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What can be hurt, and the chance that decides where and for how long."""

    fleet: Fleet
    application: Application
    random: Random

    def any_node(self) -> Node:
        return self.random.choice(self.fleet.nodes)


Fault = Callable[[Scene], Awaitable[None]]


async def daemon_killed(scene: Scene) -> None:
    """kill -9, and started again."""
    node = scene.any_node()
    node.kill(DAEMON)
    await node.up()


async def asterisk_killed(scene: Scene) -> None:
    """kill -9, and started again."""
    node = scene.any_node()
    await scene.fleet.kill_asterisk(node)
    await node.up()


async def both_killed(scene: Scene) -> None:
    """The machine loses power, and is started again."""
    node = scene.any_node()
    node.kill(DAEMON)
    await scene.fleet.kill_asterisk(node)
    await node.up()


async def node_dies(scene: Scene) -> None:
    """The machine of the last node loses power for good: the trial begins it again, not the fault."""
    node = scene.fleet.nodes[-1]
    node.kill(DAEMON)
    await scene.fleet.kill_asterisk(node)


async def link_cut(scene: Scene) -> None:
    """Nobody gets through to AMI for up to four seconds, and everybody knows."""
    proxy = scene.any_node().proxy
    proxy.cut()
    await asyncio.sleep(scene.random.uniform(0, 4))
    proxy.mend()


async def link_stalled(scene: Scene) -> None:
    """Nothing gets through for up to fifteen seconds, and nobody is told."""
    proxy = scene.any_node().proxy
    proxy.stall()
    await asyncio.sleep(scene.random.uniform(2, 15))
    proxy.mend()


async def link_half_open(scene: Scene) -> None:
    """Asterisk's side of the link is gone; the daemon has to notice."""
    scene.any_node().proxy.leave_half_open()


async def disk_full(scene: Scene) -> None:
    """No file of the daemon grows for up to three seconds."""
    daemon = scene.any_node().pid(DAEMON)
    _, most = resource.prlimit(daemon, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon, resource.RLIMIT_FSIZE, (0, most))
    await asyncio.sleep(scene.random.uniform(0.5, 3))
    resource.prlimit(daemon, resource.RLIMIT_FSIZE, (most, most))


async def postgres_restarted(scene: Scene) -> None:
    """Stopped in order, or crashed, and started again."""
    assert scene.fleet.postgres
    await asyncio.to_thread(scene.fleet.postgres.restart, scene.random.choice(("fast", "immediate")))


async def engines_killed(scene: Scene) -> None:
    """The processes that speak end."""
    for worker in _workers(scene.any_node()):
        sent(worker, signal.SIGKILL)


async def engines_frozen(scene: Scene) -> None:
    """The processes that speak do nothing for up to three seconds."""
    workers = _workers(scene.any_node())
    for worker in workers:
        sent(worker, signal.SIGSTOP)
    await asyncio.sleep(scene.random.uniform(0.5, 3))
    for worker in workers:
        sent(worker, signal.SIGCONT)


async def webhook_down(scene: Scene) -> None:
    """Reports that are pushed are refused for up to three seconds."""
    scene.application.webhook.status = HTTPStatus.BAD_GATEWAY
    await asyncio.sleep(scene.random.uniform(0.5, 3))
    scene.application.webhook.status = HTTPStatus.OK


async def webhook_slow(scene: Scene) -> None:
    """For up to three seconds, whoever pushes a report waits for the answer."""
    scene.application.webhook.seconds = SLOW_SECONDS
    await asyncio.sleep(scene.random.uniform(0.5, 3))
    scene.application.webhook.seconds = 0.0


async def audio_host_down(scene: Scene) -> None:
    """The host of the audio files has none for up to three seconds."""
    scene.application.audio_host.status = HTTPStatus.SERVICE_UNAVAILABLE
    await asyncio.sleep(scene.random.uniform(0.5, 3))
    scene.application.audio_host.status = HTTPStatus.OK


async def audio_host_slow(scene: Scene) -> None:
    """For up to three seconds, whoever fetches an audio file waits for it."""
    scene.application.audio_host.seconds = SLOW_SECONDS
    await asyncio.sleep(scene.random.uniform(0.5, 3))
    scene.application.audio_host.seconds = 0.0


def _workers(node: Node) -> list[int]:
    """Started by the daemon's first thread, as all that it starts without a thread of its own."""
    pid = node.pid(DAEMON)
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

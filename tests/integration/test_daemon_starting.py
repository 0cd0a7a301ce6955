"""A daemon that cannot start leaves nothing behind: no thread, process, connection or open database."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.api.site import CannotListen, Site
from bridge.base.objects import Objects
from bridge.base.outbound import Outbound
from bridge.base.threads import FILES, LARGE
from bridge.daemon import Daemon, NoCredentials
from bridge.dialer.dialer import Dialer
from bridge.dialer.recovery import Recovery
from bridge.settings import Settings
from bridge.speech.speech import Speech
from bridge.store import Store
from bridge.store.errors import SchemaUnknown
from bridge.store.messages import Messages
from bridge.store.migrations import migrate
from tests.poison import change
from tests.ports import free_port

STEPS = [
    (Outbound, "start"),
    (Objects, "start"),
    (Speech, "start"),
    (Messages, "reroute"),
    (Site, "bind"),
    (Dialer, "start"),
    (Recovery, "start"),
    (Site, "open"),
]


class NotToday(Exception):
    """What nobody foresaw."""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Callable[..., Settings]:
    def settings(**changed: object) -> Settings:
        given: dict[str, object] = {
            "data_dir": tmp_path,
            "database_url": database_url,
            "api_key": "key",
            "host": "127.0.0.1",
            "port": free_port(socket.SOCK_STREAM),
            "ami_url": f"ami://us:secret@127.0.0.1:{free_port(socket.SOCK_STREAM)}",
            "s3_bucket": "recordings",
            "s3_endpoint": "http://127.0.0.1:9",
            "s3_access_key": "key",
            "s3_secret_key": "secret",
            "drain_seconds": 0,
        }
        return Settings.model_validate(given | changed)

    return settings


def children() -> set[int]:
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since they were listed
            found |= {int(child) for child in (thread / "children").read_text().split()}
    return found


def open_files() -> set[str]:
    """Sockets, and files of the database; the lock of the data folder is kept until the process ends."""
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(descriptor.readlink()))
        except FileNotFoundError:  # the one by which they are listed
            continue
    return {link for link in links if link.startswith("socket:") or ".db" in link}


class Left:
    """What there is now and was not before."""

    def __init__(self) -> None:
        gc.collect()
        self._before = self._now()

    async def is_nothing(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 20
        while new := [now - before for now, before in zip(self._now(), self._before, strict=True)]:
            if not any(new):
                break
            assert loop.time() < deadline, new
            await asyncio.sleep(0.02)
            gc.collect()  # a connection that was given up while it was made is closed with its objects
        assert asyncio.all_tasks() == {asyncio.current_task()}

    @staticmethod
    def _now() -> tuple[set[object], ...]:
        # Threads of no room's own stay for whoever comes next.
        stays = ("asyncio_", FILES.name, LARGE.name)
        threads = {thread.name for thread in threading.enumerate() if not thread.name.startswith(stays)}
        return set(threads), set(children()), set(open_files())


@pytest.mark.parametrize(("room", "step"), STEPS, ids=[f"{room.__name__}.{step}" for room, step in STEPS])
async def test_whatever_fails_the_start_is_undone(
    settings: Callable[..., Settings], room: type, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = Left()
    whole = getattr(room, step)

    def fails_at_its_end(self: object) -> object:
        begun = whole(self)
        if begun is None:
            raise NotToday

        async def fails() -> None:
            await begun
            raise NotToday

        return fails()

    monkeypatch.setattr(room, step, fails_at_its_end)
    with pytest.raises(NotToday):
        await Daemon(settings(), on_over=lambda: None).start()
    await left.is_nothing()


async def test_an_address_that_another_program_has(settings: Callable[..., Settings]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        left = Left()
        with pytest.raises(CannotListen):
            await Daemon(settings(port=other.getsockname()[1]), on_over=lambda: None).start()
        await left.is_nothing()


async def test_nobody_who_could_use_it(settings: Callable[..., Settings]) -> None:
    left = Left()
    with pytest.raises(NoCredentials):
        await Daemon(settings(api_key=None), on_over=lambda: None).start()
    await left.is_nothing()


async def test_a_database_of_a_newer_version(settings: Callable[..., Settings], database_url: str) -> None:
    store = Store(database_url)
    migrate(store._database.engine)
    change(store, "UPDATE alembic_version SET version_num = '9999'")
    await store.close()
    left = Left()
    with pytest.raises(SchemaUnknown):
        Daemon(settings(), on_over=lambda: None)
    await left.is_nothing()


async def test_a_start_that_is_given_up(settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    left = Left()
    reached = asyncio.Event()

    async def hangs(_: Dialer) -> None:
        reached.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Dialer, "start", hangs)
    starting = asyncio.create_task(Daemon(settings(), on_over=lambda: None).start())
    await reached.wait()
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()
    await left.is_nothing()


async def test_what_was_started_is_stopped(settings: Callable[..., Settings]) -> None:
    left = Left()
    daemon = Daemon(settings(), on_over=lambda: None)
    await daemon.start()
    await daemon.stop()
    await left.is_nothing()
    assert daemon.over is None

"""What a service manager hears on its socket."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from structlog.testing import capture_logs

from bridge.base import service_manager as supervision


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The service manager's socket, in both forms that systemd uses."""
    name = str(tmp_path / "notify") if request.param == "file" else f"@voicebridge-{token_hex(8)}"
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    for unwanted in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(unwanted, raising=False)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        manager.setblocking(False)
        yield manager


def test_it_hears_that_the_daemon_is_ready_and_that_it_stops(manager: socket.socket) -> None:
    supervision.tell(supervision.READY)
    supervision.tell(supervision.STOPPING)
    assert manager.recv(100) == b"READY=1"
    assert manager.recv(100) == b"STOPPING=1"


async def test_it_hears_twice_in_the_watchdogs_time_that_the_daemon_lives(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "4000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    started = time.monotonic()
    telling = asyncio.create_task(supervision.tell_alive())
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(20):
        assert [await loop.sock_recv(manager, 100) for _ in range(2)] == [b"WATCHDOG=1"] * 2
    assert 1.9 < time.monotonic() - started < 4
    telling.cancel()


@pytest.mark.parametrize("environment", [{}, {"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}])
async def test_it_hears_nothing_of_a_process_that_no_watchdog_waits_for(
    environment: dict[str, str], manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    await supervision.tell_alive()
    with pytest.raises(BlockingIOError):
        manager.recv(100)


async def test_a_manager_that_is_gone_does_not_stop_the_daemon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    with capture_logs() as logs:
        supervision.tell(supervision.READY)
    assert [line["event"] for line in logs] == ["service_manager_not_told"]


def test_without_a_manager_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with capture_logs() as logs:
        supervision.tell(supervision.READY)
    assert not logs

"""The daemon is stopped while people talk, and started again; its service manager is told all along."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from bridge.reports.members import wire_time
from tests.e2e.operating import ask_to_stop, ended, settings_of, voicebridge
from tests.e2e.running_lab import RunningLab, running_lab
from tests.e2e.test_bulk_canceled import standing
from tests.e2e.test_calls import cdr_of, reports, send
from tests.e2e.test_recording import launch

DRAIN_SECONDS = 5
CALLS_PER_SECOND = 5
REQUEST_SECONDS = 3
TEXT = "This is said to the very end."
LONG = "This is a long text that is still being said when the time is over. " * 8


@pytest.fixture(scope="module")
def own(lab_settings_only: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab whose daemon may be stopped."""
    settings = {
        "VOICEBRIDGE_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "VOICEBRIDGE_TRUNK_CALLS_PER_SECOND": str(CALLS_PER_SECOND),
    }
    with running_lab(tmp_path_factory.mktemp("stopped"), settings) as lab:
        yield lab


@pytest.fixture
async def api(own: RunningLab) -> AsyncIterator[ClientSession]:
    async with ClientSession(own.url, headers=own.headers) as session:
        yield session


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A service manager's socket, of which all know that are started from now on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "500000")
        yield manager


async def test_calls_end_by_themselves_or_at_the_limit_and_what_waits_is_called_after_the_start(
    own: RunningLab, api: ClientSession
) -> None:
    outlasts = await send(api, "9990031", LONG)
    await standing(api, outlasts, "in-progress")
    talks = await send(api, "9990030", TEXT)
    await standing(api, talks, "in-progress")
    soon = wire_time(datetime.now(UTC) + timedelta(seconds=10))
    numbers = [f"999004{n:02}" for n in range(2 * CALLS_PER_SECOND)]
    waiting = [await send(api, number, TEXT) for number in numbers]
    body = {"messages": [{"destinations": [{"to": "9990050"}], "text": TEXT, "sendAt": soon}]}
    async with api.post("/tts/3/advanced", json=body) as response:
        scheduled = (await response.json())["messages"][0]["token"]

    told_at, daemon = datetime.now(UTC), ask_to_stop(own)
    assert await ended(daemon) == 0
    ended_at = datetime.now(UTC)
    assert timedelta(seconds=DRAIN_SECONDS - 0.5) < ended_at - told_at < timedelta(seconds=DRAIN_SECONDS + 15)
    await own.until(lambda: len(own.calls("9990030")) == len(own.calls("9990031")) == 1)
    (outlasting,) = own.calls("9990031")
    assert told_at + timedelta(seconds=DRAIN_SECONDS - 0.5) < outlasting.ended < ended_at
    assert own.lab.up() == ["voicebridge"]

    cdrs = {token: await cdr_of(api, token) for token in (talks, outlasts, scheduled, *waiting)}
    assert {cdr["error"]["name"] for cdr in cdrs.values()} == {"VOICE_ANSWERED"}
    assert all(len(cdr["attempts"]) == 1 for cdr in cdrs.values())
    assert [len(await reports(api, messageId=token)) for token in cdrs] == [1] * len(cdrs)
    await own.until(lambda: all(own.calls(number) for number in [*numbers, "9990050"]))
    whole = await own.heard("9990050")
    assert 1 < len(whole) / 8000 < DRAIN_SECONDS
    assert await own.heard("9990030") == whole
    begun = sorted(call.started for number in [*numbers, "9990050"] for call in own.calls(number))
    assert len(begun) == len(waiting) + 1
    assert not [at for at in begun if told_at + timedelta(seconds=1.5) < at < ended_at]
    assert begun[-1] > ended_at > begun[0]


async def test_the_service_manager_hears_when_the_daemon_serves_lives_and_stops(
    own: RunningLab, api: ClientSession, manager: socket.socket
) -> None:
    loop = asyncio.get_running_loop()
    assert await ended(ask_to_stop(own)) == 0
    starting = asyncio.create_task(asyncio.to_thread(own.lab.up))
    async with asyncio.timeout(90):
        heard = await loop.sock_recv(manager, 100)
        while heard == b"WATCHDOG=1":
            heard = await loop.sock_recv(manager, 100)
        assert heard == b"READY=1"
        async with api.get("/healthz") as response:
            assert response.status == 200
        assert await starting == ["voicebridge"]
        assert await loop.sock_recv(manager, 100) == b"WATCHDOG=1"
        token = await send(api, "99930201", LONG)
        await standing(api, token, "ringing")
        daemon = ask_to_stop(own)
        while (heard := await loop.sock_recv(manager, 100)) != b"STOPPING=1":
            assert heard == b"WATCHDOG=1"
        await standing(api, token, "in-progress")
        async with api.get("/readyz") as response:
            assert (response.status, (await response.json())["checks"]["daemon"]) == (503, "it is stopping")
        assert await loop.sock_recv(manager, 100) == b"WATCHDOG=1"
        assert await ended(daemon) == 0
    own.lab.up()
    assert len(await reports(api, messageId=token)) == 1


async def test_settings_that_cannot_work_are_told_by_the_exit_status(own: RunningLab, tmp_path: Path) -> None:
    settings = settings_of(own) | {"VOICEBRIDGE_DATA_DIR": str(tmp_path)}
    nobody = {name: value for name, value in settings.items() if name != "VOICEBRIDGE_API_KEY"}
    for wrong in (
        settings | {"VOICEBRIDGE_PORT": "many"},
        {name: value for name, value in settings.items() if name != "VOICEBRIDGE_AMI_URL"},
        {name: value for name, value in nobody.items() if name not in ("VOICEBRIDGE_USER", "VOICEBRIDGE_PASSWORD")},
    ):
        assert (await voicebridge(wrong, "serve")).returncode == 2


async def test_a_second_daemon_in_the_same_folder_or_of_the_same_name_does_not_start(
    own: RunningLab, api: ClientSession, tmp_path: Path
) -> None:
    in_its_folder = settings_of(own) | {"VOICEBRIDGE_PORT": "0"}
    elsewhere = in_its_folder | {
        "VOICEBRIDGE_DATA_DIR": str(tmp_path),
        "VOICEBRIDGE_DATABASE_URL": own.lab.environment()["VOICEBRIDGE_DATABASE_URL"],
    }
    token = await send(api, "9990051", " ".join([TEXT] * 3))
    await standing(api, token, "in-progress")
    for settings, error in ((in_its_folder, "CANNOT_USE_DATA_DIR"), (elsewhere, "NODE_NAME_TAKEN")):
        second = await voicebridge(settings, "serve")
        assert (second.returncode, second.stderr.splitlines()[-1].partition(":")[0]) == (1, error)
        assert "serving" not in second.stderr + second.stdout
        assert "ami_link_up" not in second.stderr + second.stdout
    (spoken,) = (await cdr_of(api, token))["attempts"][0]["spoken"]
    assert len(await own.heard("9990051")) >= spoken["seconds"] * 8000
    assert len(own.calls("9990051")) == 1
    assert len(await reports(api, messageId=token)) == 1


async def test_a_second_daemon_that_cannot_listen_is_never_ready_and_leaves_the_first_alone(
    own: RunningLab, api: ClientSession, manager: socket.socket, tmp_path: Path
) -> None:
    told = {name: os.environ[name] for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC")}
    second = await voicebridge(settings_of(own) | told | {"VOICEBRIDGE_DATA_DIR": str(tmp_path)}, "serve")
    assert second.returncode == 1
    assert second.stderr.splitlines()[-1].startswith("CANNOT_LISTEN: ")
    with pytest.raises(BlockingIOError):
        manager.recv(100)
    cdr = await cdr_of(api, await send(api, "9990060", "Good morning."))
    assert cdr["error"]["name"] == "VOICE_ANSWERED"


async def test_a_client_that_has_gone_silent_does_not_hold_up_the_stop(own: RunningLab) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", own.ports.http)
    head = f"POST /tts/3/single HTTP/1.1\r\nHost: here\r\nAuthorization: {own.headers['Authorization']}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
    await writer.drain()
    assert await ended(ask_to_stop(own)) == 0
    writer.close()
    own.lab.up()


async def test_a_request_of_a_script_is_completed_after_its_call_and_before_the_daemon_stops(
    own: RunningLab, api: ClientSession
) -> None:
    asked, took = asyncio.Event(), list[str]()

    async def take(request: web.Request) -> web.StreamResponse:
        asked.set()
        body = await request.text()
        await asyncio.sleep(REQUEST_SECONDS)  # as a slow application does
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b'{"thanks": ')
        await answer.write(b'"whole"}')
        await answer.write_eof()
        took.append(body)
        return answer

    async with serving(take) as url:
        told = {"request": f"{url}/told", "options": {"method": "POST", "body": "x" * 1000}}
        token = await launch(api, "9990070", [{"say": "Good bye."}, told, "hangup"])
        async with asyncio.timeout(30):
            await asked.wait()
        stopping_at, daemon = datetime.now(UTC), ask_to_stop(own)
        assert await ended(daemon) == 0
        assert datetime.now(UTC) - stopping_at < timedelta(seconds=DRAIN_SECONDS + 5)
    assert took == ["x" * 1000]
    lines = [json.loads(line) for line in own.lab.log("voicebridge").read_text().splitlines()]
    (answered,) = (line for line in lines if line["event"] == "request_of_script")
    assert (answered["status"], answered["message"]) == (200, token)
    own.lab.up()


@asynccontextmanager
async def serving(take: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """An application; yields its address."""
    app = web.Application()
    app.router.add_route("*", "/{path}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield site.name
    await runner.cleanup()

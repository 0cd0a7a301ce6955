"""Real Asterisks on loopback: the bridge's own and the lab's carrier, and a faulty AMI link."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.configuration import AsteriskSettings, Manager, Trunk, render
from bridge.asterisk.journal import Journal
from bridge.lab.programs import Program, find_asterisk
from bridge.lab.telephones import Carrier, PhoneCall, phone_calls
from bridge.lab.telephones import render as render_carrier
from tests.database_clock import DatabaseClock
from tests.integration.mortal import Mortal
from tests.ports import free_port, rtp_range
from tests.postgres import Postgres, running_postgres

SECRET = "s3cret;with:a%semicolon"
SECRET_IN_URL = "s3cret%3Bwith%3Aa%25semicolon"


@dataclass(frozen=True)
class Telephones:
    """The lab's carrier, running: what its telephones heard and how often they rang."""

    carrier: Carrier

    def calls(self, number: str | None = None) -> list[PhoneCall]:
        """The finished calls of one telephone, or of all."""
        return phone_calls(self.carrier.calls_file, number)

    async def answered(self, number: str) -> None:
        """Wait until the telephone has begun to listen."""
        await asyncio.to_thread(until, lambda: any((self.carrier.heard_dir / number).glob("*")))

    async def only_call(self, number: str) -> PhoneCall:
        """The one call that this telephone got, once it is over."""
        await asyncio.to_thread(until, lambda: self.calls(number))
        (call,) = self.calls(number)
        return call


@dataclass(frozen=True)
class RunningAsterisk:
    """The bridge's Asterisk, running."""

    program: Program
    settings: AsteriskSettings
    configuration: Path
    log_of_start: str

    @property
    def url(self) -> str:
        return f"ami://voicebridge:{SECRET_IN_URL}@127.0.0.1:{self.settings.manager.port}"

    def console(self, command: str) -> str:
        """What Asterisk's own command line answers."""
        return _run(self.program, self.configuration, "-rx", command)

    def kill(self) -> None:
        """As a crash would: it says and writes nothing more."""
        os.kill(int((self.settings.state_dir / "run" / "asterisk.pid").read_text()), signal.SIGKILL)

    def wait_for_console(self, command: str, answer: str) -> None:
        until(lambda: answer in self.console(command))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as postgres:
        yield postgres


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a database runs on both kinds."""
    kinds = ["sqlite"] if metafunc.definition.get_closest_marker("any_database") else ["sqlite", "postgresql"]
    for name in ("database_url", "empty_database_url"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, kinds, indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database with the schema of this version."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.new_database()
    yield url
    postgres.drop(url)


@pytest.fixture
def database_clock(database_url: str) -> Iterator[DatabaseClock]:
    """The clock of the server that has the new database; nobody may have connected to it yet."""
    clock = DatabaseClock(database_url)
    yield clock
    clock.close()


@pytest.fixture
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database without a schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.empty_database()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def program() -> Program:
    return find_asterisk()


@pytest.fixture(scope="session")
def telephones(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telephones]:
    folder = tmp_path_factory.mktemp("carrier")
    rtp = rtp_range()
    carrier = Carrier(
        sip_port=free_port(socket.SOCK_DGRAM),
        rtp_first=rtp.start,
        rtp_last=rtp.stop - 1,
        softphone_password="a-softphone",
        state_dir=folder,
        heard_dir=folder / "heard",
        calls_file=folder / "calls.jsonl",
    )
    render_carrier(carrier, program)
    with _started(program, carrier.configuration):
        yield Telephones(carrier)


@pytest.fixture(scope="session")
def asterisk(
    program: Program, telephones: Telephones, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningAsterisk]:
    settings = asterisk_settings(program, telephones, tmp_path_factory.mktemp("asterisk"))
    with running_asterisk(program, settings) as running:
        running.wait_for_console("pjsip show contacts", "Avail")
        yield running


@pytest.fixture
def new_settings(program: Program, telephones: Telephones, tmp_path: Path) -> AsteriskSettings:
    """Those of a further Asterisk, for a test of its own."""
    return asterisk_settings(program, telephones, tmp_path)


RunAsterisk = Callable[[AsteriskSettings], AbstractContextManager["RunningAsterisk"]]


@pytest.fixture
def run_asterisk(program: Program) -> RunAsterisk:
    return partial(running_asterisk, program)


OpenLink = Callable[..., Awaitable[AmiLink]]


@pytest.fixture
async def open_link() -> AsyncIterator[OpenLink]:
    """Starts links; all are closed after the test."""
    links: list[AmiLink] = []

    async def open_link(url: str, ping_seconds: float = 5) -> AmiLink:
        links.append(AmiLink(url, ping_seconds=ping_seconds))
        await links[-1].start()
        return links[-1]

    yield open_link
    for link in links:
        await link.close()


@pytest.fixture
async def link(asterisk: RunningAsterisk, open_link: OpenLink) -> AmiLink:
    link = await open_link(asterisk.url)
    await link.wait_connected()
    return link


@pytest.fixture
async def mortal(
    run_asterisk: RunAsterisk, new_settings: AsteriskSettings, open_link: OpenLink
) -> AsyncIterator[Mortal]:
    with run_asterisk(new_settings) as asterisk:
        await asyncio.to_thread(asterisk.wait_for_console, "pjsip show contacts", "Avail")
        link = await open_link(asterisk.url)
        await link.wait_connected()
        yield Mortal(asterisk, link)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """One of the test's own, into which Asterisk can write."""
    folder = tmp_path / "journal"
    folder.mkdir()
    return Journal(folder)


@pytest.fixture
async def proxy(asterisk: RunningAsterisk) -> AsyncIterator[AmiProxy]:
    async with running_proxy(asterisk.settings.manager.port) as proxy:
        yield proxy


@asynccontextmanager
async def running_proxy(ami_port: int) -> AsyncIterator[AmiProxy]:
    """A proxy to the AMI on that port."""
    proxy = AmiProxy(ami_port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.cut()
        server.close()
        await server.wait_closed()


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """The stem of a file of two seconds in which every value of µ-law stands."""
    samples = random.Random(7).choices(range(256), k=16000)  # noqa: S311 - a sound, not a secret
    (tmp_path / "speech.ulaw").write_bytes(bytes(samples))
    return tmp_path / "speech"


@dataclass
class AmiProxy:
    """Stands between the link and the real AMI, and does to it what networks do.

    ``cut_before`` and ``cut_after`` are words of an action: the link is cut when it is about to reach Asterisk, or
    when Asterisk has it and before it can answer. Both work once.
    """

    ami_port: int
    port: int = 0
    connections: int = 0
    said: bytes = b""
    heard: bytes = b""
    refusing: bool = False
    muted: bool = False
    deaf: bool = False
    byte_by_byte: bool = False
    cut_before: bytes | None = None
    cut_after: bytes | None = None
    _to_links: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"ami://voicebridge:{SECRET_IN_URL}@127.0.0.1:{self.port}"

    def cut(self) -> None:
        for to_link in self._to_links:
            to_link.transport.abort()

    async def serve(self, from_link: asyncio.StreamReader, to_link: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refusing:
            to_link.transport.abort()
            return
        self._to_links.add(to_link)
        from_ami, to_ami = await asyncio.open_connection("127.0.0.1", self.ami_port)
        hearing = asyncio.create_task(self._hear(from_ami, to_link))
        try:
            with suppress(ConnectionError):
                await self._say(from_link, to_ami)
        finally:
            hearing.cancel()
            self._to_links.discard(to_link)
            to_link.transport.abort()
            to_ami.close()

    async def _say(self, from_link: asyncio.StreamReader, to_ami: asyncio.StreamWriter) -> None:
        while data := await from_link.read(65536):
            if self.cut_before and self.cut_before in data:
                self.cut_before = None
                return
            self.said += data
            if not self.deaf:
                to_ami.write(data)
            if self.cut_after and self.cut_after in data:
                self.cut_after = None
                return

    async def _hear(self, from_ami: asyncio.StreamReader, to_link: asyncio.StreamWriter) -> None:
        while data := await from_ami.read(65536):
            self.heard += data
            if not self.muted:
                await self._pass_on(data, to_link)
        to_link.transport.abort()

    async def _pass_on(self, data: bytes, to_link: asyncio.StreamWriter) -> None:
        for start in range(0, len(data), 1 if self.byte_by_byte else len(data)):
            to_link.write(data[start : start + 1] if self.byte_by_byte else data)
            await asyncio.sleep(0)  # a turn of the loop, in which the link reads this piece alone


def asterisk_settings(program: Program, telephones: Telephones, folder: Path) -> AsteriskSettings:
    """A bridge's Asterisk on free ports, whose trunk is the carrier."""
    rtp = rtp_range()
    return AsteriskSettings(
        trunks=[Trunk("trunk", f"sip:127.0.0.1:{telephones.carrier.sip_port}")],
        manager=Manager(SECRET, port=free_port(socket.SOCK_STREAM)),
        module_dir=program.module_dir,
        data_dir=program.data_dir,
        state_dir=folder / "state",
        sip_host="127.0.0.1",
        sip_port=free_port(socket.SOCK_DGRAM),
        rtp_first=rtp.start,
        rtp_last=rtp.stop - 1,
    )


@contextmanager
def running_asterisk(program: Program, settings: AsteriskSettings) -> Iterator[RunningAsterisk]:
    etc = settings.state_dir.parent / "etc"
    render(etc, settings)
    with _started(program, etc / "asterisk.conf"):
        log = (settings.state_dir / "log" / "messages.log").read_text()
        yield RunningAsterisk(program, settings, etc / "asterisk.conf", log)


@contextmanager
def _started(program: Program, configuration: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [*program.command, "-C", str(configuration), "-f"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        # The command waits until Asterisk is fully booted.
        until(lambda: "booted" in _run(program, configuration, "-rx", "core waitfullybooted"), seconds=60)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _run(program: Program, configuration: Path, *arguments: str) -> str:
    command = [*program.command, "-C", str(configuration), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.05)

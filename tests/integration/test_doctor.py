"""``voicebridge doctor`` against real parts, and against each of them broken."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from bridge.admin.keys import add_key, revoke_key
from bridge.asterisk.configuration import Trunk
from bridge.base.objects import Bucket
from bridge.messages.message import Bulk, Content, Message, Notify
from bridge.messages.scenario import ScenarioBody, new_scenario
from bridge.settings import Settings
from bridge.store import Store
from tests.object_storage import storage_server, stored
from tests.postgres import PASSWORD_IN_URL, Postgres
from tests.schema import make_schema

if TYPE_CHECKING:
    from bridge.asterisk.configuration import AsteriskSettings
    from tests.integration.conftest import RunAsterisk, RunningAsterisk

API_KEY = "api-key-of-the-test"


@dataclass(frozen=True)
class Diagnosis:
    """What an operator sees."""

    healthy: bool
    lines: list[str]

    def line(self, check: str) -> str:
        """The line of one check; for one that failed, with the remedy below it."""
        [number] = [number for number, line in enumerate(self.lines) if line[8:].startswith(f"{check}:")]
        return "\n".join(self.lines[number : number + 2 if self.lines[number].startswith("failed") else number + 1])


Doctor = Callable[..., Diagnosis]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that every user may enter, unlike pytest's own."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def doctor(asterisk: RunningAsterisk, folder: Path) -> Doctor:
    """Calls the doctor to a healthy installation, but for the settings that are given."""

    def examine(environment: dict[str, str] | None = None, **settings: str | None) -> Diagnosis:
        healthy = {"ami_url": asterisk.url, "data_dir": str(folder), "api_key": API_KEY}
        ended = subprocess.run(
            [sys.executable, "-c", "from bridge.cli import main; main()", "doctor"],
            cwd=Path(__file__).parents[2],
            env={"PATH": os.environ["PATH"]}
            | {
                f"VOICEBRIDGE_{name.upper()}": value
                for name, value in (healthy | settings).items()
                if value is not None
            }
            | (environment or {}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        return Diagnosis(ended.returncode == 0, ended.stdout.splitlines())

    return examine


def test_a_healthy_installation_is_told_line_by_line_and_without_a_secret(
    doctor: Doctor, asterisk: RunningAsterisk
) -> None:
    diagnosis = doctor(database_url=f"sqlite:///{asterisk.settings.state_dir}/new.db")

    assert diagnosis.healthy
    assert [line[:8] for line in diagnosis.lines] == ["ok      "] * 11
    told = "\n".join(diagnosis.lines)
    assert "the daemon will make it" in diagnosis.line("database")
    assert "open to Asterisk" in diagnosis.line("speech folder")
    assert "the daemon will make it" in diagnosis.line("journal folder")
    assert "said a word" in diagnosis.line("speech engine espeak-ng")
    assert "trunk is reachable" in diagnosis.line("trunk trunk")
    for secret in (API_KEY, asterisk.settings.manager.secret, asterisk.url.split(":")[2].split("@")[0]):
        assert secret not in told


def test_nothing_is_made_for_the_daemon_by_the_wrong_user(doctor: Doctor, folder: Path) -> None:
    assert doctor(data_dir=str(folder / "not" / "yet")).healthy
    assert list(folder.iterdir()) == []


def test_a_wrong_secret_is_told_from_an_asterisk_that_is_not_there(doctor: Doctor, asterisk: RunningAsterisk) -> None:
    diagnosis = doctor(ami_url=f"ami://voicebridge:wrong-secret@127.0.0.1:{asterisk.settings.manager.port}")

    assert not diagnosis.healthy
    assert diagnosis.line("AMI port").startswith("ok")
    assert "refused the login" in diagnosis.line("AMI login")
    assert "voicebridge asterisk-config" in diagnosis.line("AMI login")
    assert "wrong-secret" not in "\n".join(diagnosis.lines)


def test_a_port_where_nobody_listens(doctor: Doctor) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        diagnosis = doctor(ami_url=f"ami://voicebridge:secret@127.0.0.1:{unheard.getsockname()[1]}")

    assert not diagnosis.healthy
    assert "cannot be reached" in diagnosis.line("AMI port")
    assert "Start Asterisk" in diagnosis.line("AMI port")
    assert "AMI port" in diagnosis.lines[-2]


async def test_a_port_where_something_else_listens(doctor: Doctor) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        diagnosis = await asyncio.to_thread(doctor, ami_url=f"ami://voicebridge:secret@127.0.0.1:{port}")

    assert not diagnosis.healthy
    assert "not Asterisk" in diagnosis.line("AMI port")


def test_no_ami_address(doctor: Doctor) -> None:
    diagnosis = doctor(ami_url=None)

    assert not diagnosis.healthy
    assert "VOICEBRIDGE_AMI_URL" in diagnosis.line("AMI port")


def test_a_trunk_that_asterisk_does_not_have(doctor: Doctor) -> None:
    diagnosis = doctor(trunk="elsewhere")

    assert not diagnosis.healthy
    assert "no endpoint elsewhere" in diagnosis.line("trunk elsewhere")


def test_a_trunk_whose_name_leads_to_no_address(
    doctor: Doctor, run_asterisk: RunAsterisk, new_settings: AsteriskSettings
) -> None:
    with run_asterisk(replace(new_settings, trunks=[Trunk("trunk", "sip:carrier.invalid")])) as asterisk:
        diagnosis = doctor(ami_url=asterisk.url, trunk_uri="sip:carrier.invalid")
    assert not diagnosis.healthy
    assert "leads to no address" in diagnosis.line("trunk trunk")


def test_every_trunk_on_every_asterisk_is_told(doctor: Doctor, asterisk: RunningAsterisk) -> None:
    nobody = "ami://voicebridge:secret@127.0.0.1:9"
    diagnosis = doctor(ami_url=f"{asterisk.url}, {nobody}", trunks='[{"name": "trunk"}, {"name": "elsewhere"}]')

    assert not diagnosis.healthy
    there, nowhere = (line for line in diagnosis.lines if "AMI port" in line)
    assert there.startswith(f"ok      AMI port: 127.0.0.1:{asterisk.settings.manager.port}")
    assert nowhere.startswith("failed  AMI port: 127.0.0.1:9 cannot be reached")
    assert diagnosis.line("trunk trunk").startswith("ok")
    assert diagnosis.line("trunk elsewhere").startswith("failed")


def test_a_data_folder_that_cannot_be_one(doctor: Doctor, folder: Path) -> None:
    (folder / "file").touch()

    diagnosis = doctor(data_dir=str(folder / "file"))

    assert not diagnosis.healthy
    assert "Not a directory" in diagnosis.line("data folder")
    assert "VOICEBRIDGE_DATA_DIR" in diagnosis.line("data folder")


def test_a_speech_folder_that_only_its_owner_may_enter(doctor: Doctor, folder: Path) -> None:
    folder.chmod(0o700)

    assert f"only user {os.getuid()} may enter {folder}" in doctor().line("speech folder")


def test_a_journal_that_asterisk_cannot_write(doctor: Doctor, folder: Path) -> None:
    journal = folder / "journal"
    journal.mkdir()
    journal.chmod(0o2750)

    diagnosis = doctor()

    assert not diagnosis.healthy
    assert f"the group of {journal} may not write there" in diagnosis.line("journal folder")
    assert f"chmod 2770 {journal}" in diagnosis.line("journal folder")
    journal.chmod(0o2770)
    healed = doctor()
    assert healed.healthy
    assert f"only group {journal.stat().st_gid} may enter {journal}" in healed.line("journal folder")


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with storage_server() as bucket:
        yield bucket


def in_bucket(bucket: Bucket) -> dict[str, str]:
    """The settings that lead there."""
    assert bucket.endpoint
    assert bucket.access_key
    assert bucket.secret_key
    return {
        "s3_bucket": bucket.name,
        "s3_endpoint": bucket.endpoint,
        "s3_prefix": bucket.prefix,
        "s3_access_key": bucket.access_key,
        "s3_secret_key": bucket.secret_key,
    }


def test_object_storage_that_keeps_gives_and_forgets(doctor: Doctor, bucket: Bucket) -> None:
    diagnosis = doctor(**in_bucket(bucket))

    assert diagnosis.healthy
    assert diagnosis.line("object storage").endswith(": calls, an object was put there, read and removed")
    assert stored(bucket) == {}


@pytest.mark.parametrize(
    ("setting", "value", "problem"),
    [
        ("s3_secret_key", "wrong-secret", "refused: SignatureDoesNotMatch"),
        ("s3_endpoint", "http://127.0.0.1:9", "cannot be reached"),
    ],
)
def test_object_storage_that_takes_nothing(
    doctor: Doctor, bucket: Bucket, setting: str, value: str, problem: str
) -> None:
    diagnosis = doctor(**in_bucket(bucket) | {setting: value})

    assert not diagnosis.healthy
    line = diagnosis.line("object storage")
    assert "an object cannot be put there" in line
    assert problem in line
    assert f"VOICEBRIDGE_{setting.upper()}" in line or "the keys" in line
    for secret in (in_bucket(bucket)["s3_secret_key"], "wrong-secret"):
        assert secret not in "\n".join(diagnosis.lines)


def test_a_database_that_is_none(doctor: Doctor, folder: Path) -> None:
    (folder / "voicebridge.db").write_bytes(b"this was a database once" * 100)

    diagnosis = doctor()

    assert not diagnosis.healthy
    assert "not a database" in diagnosis.line("database")
    assert "VOICEBRIDGE_DATABASE_URL" in diagnosis.line("database")


def test_a_database_that_is_not_there_is_told_without_its_password(doctor: Doctor) -> None:
    diagnosis = doctor(database_url="postgresql://bridge:db-password@127.0.0.1:9/bridge")

    assert not diagnosis.healthy
    assert diagnosis.line("database").startswith("failed")
    assert "db-password" not in "\n".join(diagnosis.lines)


def test_a_postgresql_is_named_without_its_password(doctor: Doctor, postgres: Postgres) -> None:
    diagnosis = doctor(database_url=postgres.new_database())

    assert diagnosis.healthy
    assert f"@127.0.0.1:{postgres.port}/" in diagnosis.line("database")
    assert PASSWORD_IN_URL not in "\n".join(diagnosis.lines)


def test_a_postgresql_with_a_wrong_password(doctor: Doctor, postgres: Postgres) -> None:
    diagnosis = doctor(database_url=postgres.url("postgres").replace(PASSWORD_IN_URL, "wrong"))

    assert not diagnosis.healthy
    assert "password authentication failed" in diagnosis.line("database")


def test_a_postgresql_whose_clock_is_wrong(doctor: Doctor, postgres: Postgres) -> None:
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET search_path = public, pg_catalog")
    five_seconds_ahead = "pg_catalog.clock_timestamp() + interval '5 s'"
    postgres.execute(
        f"CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql RETURN {five_seconds_ahead}", name
    )

    diagnosis = doctor(database_url=url)

    assert not diagnosis.healthy
    assert re.search(r"differs from this machine's by (4\.[89]|5\.[0-9]) s", diagnosis.line("database"))
    assert "NTP" in diagnosis.line("database")


@pytest.mark.parametrize("asks", ["message", "scenario"])
async def test_pushed_reports_without_a_public_address_are_in_doubt(
    doctor: Doctor, database_url: str, asks: str
) -> None:
    store = Store(database_url)
    now = datetime.now(UTC)
    if asks == "message":
        content = Content(text="Hello", notify=Notify("https://shop.example/reports", "application/json", 2))
        message = Message("m1", "41793026727", None, content, now, now + timedelta(hours=1))
        await store.messages.accept(Bulk("b1", "acme", now, [message]))
    else:
        body = ScenarioBody("Names", [{"say": "Hello"}], notify_url="https://shop.example/reports")
        await store.scenarios.add("acme", new_scenario(body, now))
    await store.close()

    diagnosis = await asyncio.to_thread(doctor, database_url=database_url, host="0.0.0.0")
    assert diagnosis.healthy
    assert diagnosis.line("public address").startswith("warning public address: reports are pushed")
    assert any("Set VOICEBRIDGE_PUBLIC_URL" in line for line in diagnosis.lines)
    public = await asyncio.to_thread(doctor, database_url=database_url, public_url="https://voice.example/calls/")
    assert public.line("public address") == "ok      public address: https://voice.example/calls"


def test_ffmpeg_that_is_not_installed(doctor: Doctor, tmp_path: Path) -> None:
    diagnosis = doctor({"PATH": str(tmp_path)})

    assert not diagnosis.healthy
    assert "Install the package ffmpeg" in diagnosis.line("ffmpeg")


def test_an_engine_without_its_voices(doctor: Doctor, tmp_path: Path) -> None:
    diagnosis = doctor({"ESPEAK_DATA_PATH": str(tmp_path)})

    assert not diagnosis.healthy
    assert "Install the packages espeak-ng" in diagnosis.line("speech engine espeak-ng")


def test_an_api_that_nobody_could_use(doctor: Doctor, folder: Path) -> None:
    diagnosis = doctor(api_key="", user="only-a-name")

    assert not diagnosis.healthy
    assert "VOICEBRIDGE_API_KEY" in diagnosis.line("API credentials")
    assert "voicebridge keys add" in diagnosis.line("API credentials")
    assert list(folder.iterdir()) == []


async def test_an_api_that_only_keys_of_the_database_open(doctor: Doctor, database_url: str, folder: Path) -> None:
    settings = Settings.model_validate({"database_url": database_url, "data_dir": folder})
    make_schema(database_url)
    key = await add_key(settings, "acme")

    diagnosis = await asyncio.to_thread(doctor, api_key=None, database_url=database_url)
    assert diagnosis.healthy
    assert diagnosis.line("API credentials").startswith("ok      API credentials: 1 made")
    assert key not in "\n".join(diagnosis.lines)
    await revoke_key(settings, 1)
    assert not (await asyncio.to_thread(doctor, api_key=None, database_url=database_url)).healthy


def test_a_database_that_cannot_tell_of_keys(doctor: Doctor, postgres: Postgres) -> None:
    without_schema, away = postgres.empty_database(), "postgresql://bridge:db-password@127.0.0.1:9/bridge"
    for url, problem in ((without_schema, "does not exist"), (away, "refused")):
        told = doctor(api_key=None, database_url=url).line("API credentials")
        assert told.startswith("failed  API credentials: none are set, and the database tells of none: ")
        assert problem in told
        assert "db-password" not in told

"""``voicebridge migrate``, and what the commands say of a schema that they do not know."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bridge.store.engine import open_engine
from bridge.store.migrations import migrate, revision_of
from tests.integration.test_restored import served_by

Voicebridge = Callable[..., subprocess.CompletedProcess[str]]

LEAVE_THE_SCHEMA = (["keys", "list"], ["keys", "add", "shop"], ["keys", "revoke", "1"], ["after-restore"])
"""Commands that use the database as it is."""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def voicebridge(database_url: str, tmp_path: Path) -> Voicebridge:
    """Runs a command on the database."""
    return voicebridge_on(database_url, tmp_path)


def voicebridge_on(database_url: str, tmp_path: Path) -> Voicebridge:
    settings = {
        "VOICEBRIDGE_DATABASE_URL": database_url,
        "VOICEBRIDGE_DATA_DIR": str(tmp_path / "data"),
        "VOICEBRIDGE_API_KEY": "api-key-of-the-test",
        "VOICEBRIDGE_AMI_URL": "ami://user:secret@127.0.0.1:1",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("voicebridge")), *arguments]
        environment = {"PATH": os.environ["PATH"], **settings}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)

    return run


def schema_of(engine: Engine) -> str:
    with engine.connect() as connection:
        return revision_of(connection)


def test_an_operator_goes_back_and_forth_and_is_told_from_where_to_where(
    voicebridge: Voicebridge, engine: Engine
) -> None:
    newest = schema_of(engine)
    back = voicebridge("migrate", "0004")
    assert (back.returncode, back.stdout) == (0, f"the schema was {newest} and is 0004\n")
    assert schema_of(engine) == "0004"
    forth = voicebridge("migrate")
    assert (forth.returncode, forth.stdout) == (0, f"the schema was 0004 and is {newest}\n")
    assert schema_of(engine) == newest


async def test_the_schema_is_not_changed_under_a_daemon(
    voicebridge: Voicebridge, engine: Engine, database_url: str
) -> None:
    newest = schema_of(engine)
    async with served_by("another-machine", database_url):
        refused = await asyncio.to_thread(voicebridge, "migrate", "0004")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("DAEMON_RUNS: stop the daemon of another-machine first")
    assert schema_of(engine) == newest


@pytest.mark.any_database
def test_a_schema_that_there_is_not_is_told_with_those_that_there_are(voicebridge: Voicebridge, engine: Engine) -> None:
    newest = schema_of(engine)
    refused = voicebridge("migrate", "0098")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("SCHEMA_UNKNOWN: there is no schema 0098: there are base, 0001, ")
    assert refused.stderr.endswith(f", {newest}\n")


def test_the_schema_of_a_newer_version_is_left_alone_and_said_what_to_do_about(
    voicebridge: Voicebridge, engine: Engine
) -> None:
    known = migrate(engine)[1]
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0099'")
    for arguments in (["serve"], ["keys", "list"], ["after-restore"], ["migrate"], ["migrate", "0001"]):
        refused = voicebridge(*arguments)
        assert (refused.returncode, refused.stdout) == (2, "")
        (line,) = refused.stderr.splitlines()
        assert line.startswith("SCHEMA_UNKNOWN: the database has the schema 0099 of a newer version")
        assert f"`voicebridge migrate {known}`" in line
    diagnosis = voicebridge("doctor")
    (line,) = [line for line in diagnosis.stdout.splitlines() if " database: " in line]
    assert line.startswith("failed")
    assert "the schema 0099 of a newer version" in line
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == "0099"


def test_only_serve_and_migrate_change_the_schema_of_an_earlier_version(
    voicebridge: Voicebridge, engine: Engine
) -> None:
    newest = migrate(engine)[1]
    migrate(engine, "0005")
    for arguments in LEAVE_THE_SCHEMA:
        refused = voicebridge(*arguments)
        assert (refused.returncode, refused.stdout) == (2, ""), arguments
        (line,) = refused.stderr.splitlines()
        assert line.startswith("SCHEMA_OLD: the database has the schema 0005 of an earlier version")
        assert f"run `voicebridge migrate`, which brings it to {newest}" in line
    diagnosis = voicebridge("doctor")
    (line,) = [line for line in diagnosis.stdout.splitlines() if " database: " in line]
    assert line.startswith("failed")
    assert "run `voicebridge migrate`" in line
    assert schema_of(engine) == "0005"
    assert voicebridge("migrate").returncode == 0
    assert voicebridge("keys", "list").returncode == 0


def test_a_database_without_tables_is_left_without_and_said_what_to_run(
    empty_database_url: str, tmp_path: Path
) -> None:
    voicebridge = voicebridge_on(empty_database_url, tmp_path)
    for arguments in LEAVE_THE_SCHEMA:
        refused = voicebridge(*arguments)
        assert (refused.returncode, refused.stdout) == (2, ""), arguments
        (line,) = refused.stderr.splitlines()
        assert line.startswith("SCHEMA_OLD: ")
        assert "run `voicebridge migrate` first" in line
    diagnosis = voicebridge("doctor")
    (line,) = [line for line in diagnosis.stdout.splitlines() if " database: " in line]
    assert line.startswith("ok")
    assert "the daemon will make it" in line
    assert voicebridge("migrate", "0098").returncode == 2
    assert list(tmp_path.glob("*.db*")) == []

    made = voicebridge("migrate")
    assert (made.returncode, made.stdout[:23]) == (0, "the schema was base and")
    assert voicebridge("keys", "add", "shop").stdout.startswith("vb_")
    assert "shop" in voicebridge("keys", "list").stdout
    assert {file.stat().st_mode & 0o777 for file in tmp_path.glob("*.db*")} <= {0o600}


async def test_keys_are_made_while_a_daemon_serves_the_database(
    voicebridge: Voicebridge, engine: Engine, database_url: str
) -> None:
    async with served_by("another-machine", database_url):
        assert (await asyncio.to_thread(voicebridge, "keys", "add", "shop")).returncode == 0
        assert "shop" in (await asyncio.to_thread(voicebridge, "keys", "list")).stdout


def test_an_empty_file_is_no_database_of_an_earlier_version(tmp_path: Path) -> None:
    file = tmp_path / "touched.db"
    file.touch()
    refused = voicebridge_on(f"sqlite:///{file}", tmp_path)("keys", "list")
    assert refused.returncode == 2
    assert refused.stderr.startswith("SCHEMA_OLD: the database has no tables yet")

"""A real PostgreSQL of the tests' own: a private cluster on loopback, from the distribution's package."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Literal

import psycopg

from bridge.store.engine import open_engine
from bridge.store.migrations import migrate
from tests.ports import free_port

StopMode = Literal["smart", "fast", "immediate"]
"""As `pg_ctl` has them: ``fast`` ends what is under way in order, ``immediate`` is a crash."""

_USER = "voicebridge"
_PASSWORD = "p%w:d@/ž"  # every character that a URL has to escape
PASSWORD_IN_URL = "p%25w%3Ad%40%2F%C5%BE"
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Postgres:
    """One cluster in a folder of its own, served on a free port of loopback.

    ``durable`` has it flush to the disk as an operator's does; tests that measure or pull the plug want that.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.port = free_port(socket.SOCK_STREAM)
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._durable = durable
        self._numbers = count(1)
        self._template: str | None = None
        self._programs = _programs()
        # The server refuses to run as root.
        self._owner = "postgres" if os.geteuid() == 0 else None
        if self._owner is not None:
            shutil.chown(self._folder, self._owner)
        self._initialize()

    def start(self) -> None:
        """Start the server; it answers when this returns."""
        self._run("pg_ctl", "start", "-D", str(self._data), "-w", "-t", "60", "-l", str(self._folder / "log"))

    def stop(self, mode: StopMode) -> None:
        """Stop the server, in order or as if it had crashed."""
        self._run("pg_ctl", "stop", "-D", str(self._data), "-w", "-m", mode)

    def restart(self, mode: StopMode) -> None:
        """Stop and start again."""
        self.stop(mode)
        self.start()

    def url(self, database: str) -> str:
        """What ``VOICEBRIDGE_DATABASE_URL`` is set to for one of its databases."""
        return f"postgresql://{_USER}:{PASSWORD_IN_URL}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of a new database, empty but for the schema of this version."""
        name = f"test{next(self._numbers)}"
        if self._template is None:
            self._template = self.empty_database()
            engine = open_engine(self._template)
            migrate(engine)
            engine.dispose()
        self.execute(f"CREATE DATABASE {name} TEMPLATE {_name(self._template)}")
        return self.url(name)

    def empty_database(self) -> str:
        """The URL of a new database without a schema."""
        name = f"empty{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever uses it."""
        self.execute(f"DROP DATABASE {_name(url)} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """What the server answers to a statement of the operator's."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def discard(self) -> None:
        """Stop the server, if it runs, and remove the cluster."""
        if (self._data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _initialize(self) -> None:
        password = self._folder / "password"
        password.write_text(_PASSWORD)
        password.chmod(0o644)
        self._run(
            "initdb", "-D", str(self._data), "-U", _USER, f"--pwfile={password}",
            "--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8",
        )  # fmt: skip
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            f"unix_socket_directories={self._folder}",
            "max_connections=200",
            *(() if self._durable else _NOT_DURABLE),
        ]
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, _, value in (item.partition("=") for item in settings))

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            # Not a pipe: the server would inherit it and keep it open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._owner,
            group=self._owner and pwd.getpwnam(self._owner).pw_gid,
            extra_groups=None if self._owner is None else [],
            cwd=self._folder,
            timeout=90,
            check=False,
        )
        if done.returncode:
            log = self._folder / "log"
            raise RuntimeError(f"{program} {arguments} failed: {log.read_text() if log.exists() else done.returncode}")


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A cluster that runs, and is gone afterwards."""
    postgres = Postgres(durable=durable)
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.discard()


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[4]))
    elsewhere = shutil.which("initdb")
    if not found and elsewhere is None:
        raise RuntimeError("PostgreSQL is not installed: the package postgresql has it")
    return found[-1].parent if found else Path(str(elsewhere)).parent

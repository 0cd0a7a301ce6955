"""Transactions, off the event loop."""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import VoicebridgeError

_MOST_IN_ONE_COMMIT = 64
_LONGEST_WAIT_SECONDS = 0.1
_READERS = 2

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Work = Callable[Concatenate[Connection, _P], _T]


class StoreFailed(VoicebridgeError):
    """The database could not do what was asked: it is away, full, locked or damaged. Nothing was changed."""

    id: ClassVar[str] = "STORE_FAILED"


class Database:
    """Runs units of work, each all or nothing.

    Work that writes goes through one thread, which commits what has gathered meanwhile together: one flush to the disk
    serves many calls. A unit that fails is rolled back alone. Reading has its own connections and never waits for it.
    Work that may wait a moment has no flush of its own as long as there is other work.
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._writer = threading.Thread(target=self._write_until_closed, name="store-writer", daemon=True)
        self._writer.start()

    async def write(self, work: _Work[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run ``work(connection, ...)``; return its result after the commit. Raises StoreFailed and what work does."""
        result: _T = await self._hand_in(_Job(lambda connection: work(connection, *args, **kwargs)))
        return result

    async def write_soon(self, work: _Work[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Like ``write``, in the order of the calls of both, but it may take a tenth of a second longer."""
        result: _T = await self._hand_in(_Job(lambda connection: work(connection, *args, **kwargs), may_wait=True))
        return result

    async def read(self, work: _Work[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run ``work(connection, ...)``, which changes nothing. Raises StoreFailed, and what work raises."""

        def run() -> _T:
            with self.engine.connect() as connection:
                return work(connection, *args, **kwargs)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, run)
        except SQLAlchemyError as error:
            raise failed(error) from error

    async def close(self) -> None:
        """Finish the work that was handed in, then let go of the database."""
        self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        self._readers.shutdown()
        self.engine.dispose()

    async def _hand_in(self, job: _Job) -> Any:
        self._jobs.put(job)
        return await asyncio.wrap_future(job.done)

    def _write_until_closed(self) -> None:
        open_ = True
        while open_:
            jobs, open_ = self._gather()
            # From here on a job can no longer be cancelled, so it is either not begun or told of.
            if begun := [job for job in jobs if job.done.set_running_or_notify_cancel()]:
                self._commit_together(begun)

    def _gather(self) -> tuple[list[_Job], bool]:
        """The next jobs to commit together, and whether more may come."""
        jobs: list[_Job] = []
        begin_at = float("inf")
        while len(jobs) < _MOST_IN_ONE_COMMIT:
            try:
                job = self._jobs.get(timeout=max(0.0, begin_at - time.monotonic()) if jobs else None)
            except queue.Empty:
                break
            if job is None:
                return jobs, False
            jobs.append(job)
            begin_at = min(begin_at, time.monotonic() + (_LONGEST_WAIT_SECONDS if job.may_wait else 0.0))
        return jobs, True

    def _commit_together(self, jobs: list[_Job]) -> None:
        try:
            with self.engine.begin() as connection:
                results = [job.work(connection) for job in jobs]
        except Exception as error:  # whatever it is belongs to the one who asked, not to its neighbours
            if len(jobs) > 1:
                for job in jobs:
                    self._commit_together([job])
            else:
                jobs[0].done.set_exception(failed(error) if isinstance(error, SQLAlchemyError) else error)
        else:
            for job, result in zip(jobs, results, strict=True):
                job.done.set_result(result)


@dataclass(frozen=True, slots=True)
class _Job:
    """One unit of work, and whoever waits for it. It may run twice, when a neighbour made the first try fail."""

    work: Callable[[Connection], Any]
    may_wait: bool = False
    done: Future[Any] = field(default_factory=Future)


def failed(error: SQLAlchemyError) -> StoreFailed:
    """What the driver said, in our terms."""
    # Only the driver's own words: the statement's parameters may be private.
    cause = getattr(error, "orig", None) or type(error).__name__
    return StoreFailed(f"the database refused: {cause}")


def _engine(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        if engine.url.database:
            _make_private(engine.url.database)
    return engine


def _make_private(file: str) -> None:
    """The database holds what people are told and what they answer: its owner alone may read it."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreFailed(f"the database {file} cannot be opened: {error.strerror}") from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions are begun by hand below: the driver would begin them too late for a consistent read.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writing = threading.current_thread().name == "store-writer"
    # Past SQLAlchemy's own machinery, which would cost more than the statement.
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute("BEGIN IMMEDIATE" if writing else "BEGIN")

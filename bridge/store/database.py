"""The database: transactions, run off the event loop."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import uuid4

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, SQLAlchemyError

from bridge.base.threads import FILES, Threads
from bridge.store.engine import READERS, for_reading, open_engine
from bridge.store.errors import CommitUnknown, StoreFailed, failed
from bridge.store.listener import listen, notify
from bridge.store.wakeups import Topic, Wakeups, collected

_MOST_IN_ONE_COMMIT = 64
_LONGEST_WAIT_SECONDS = 0.1
_TRIES = 3
_RECENT_SECONDS = 15.0
"""A refusal counts for so long: three renewals of a node's lease, each of which writes."""

# Two transactions conflicted, and PostgreSQL ended this one (SQLSTATE class 40, "Transaction Rollback").
_ROLLED_BACK = "40"

_log = structlog.get_logger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Work = Callable[Concatenate[Connection, _P], _T]


class Database:
    """Runs units of work, functions that are given a connection, each all or nothing.

    Writes go through one thread, which commits together what has gathered meanwhile: one flush to the disk serves many
    calls. A unit that fails is rolled back alone. Reads have their own connections and never wait for writes. A write
    that may wait a moment causes no flush of its own as long as there are others.

    What a unit announces wakes those who subscribed to ``wakeups``, after the commit, on the event loop; on PostgreSQL
    those of all nodes, as long as they ``listen``.
    """

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self.wakeups = Wakeups()
        self._name = uuid4().hex
        self._has_other_nodes = self.engine.dialect.name == "postgresql"
        self._reading = for_reading(self.engine)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = Threads("store-reader", READERS)
        self._writer = threading.Thread(target=self._write_until_closed, name="store-writer", daemon=True)
        self._writer.start()
        self._refusal: tuple[float, str] | None = None

    @property
    def refusal(self) -> str | None:
        """Why the database refused a write of late, as on a full disk, where some still fit; None if it did not."""
        if self._refusal is None or time.monotonic() - self._refusal[0] > _RECENT_SECONDS:
            return None
        return self._refusal[1]

    async def listen(self) -> None:
        """Hear what other nodes announce, until cancelled; returns at once where there are none."""
        if self._has_other_nodes:
            await listen(self.engine, self._name, self.wakeups.wake)

    async def write(self, work: _Work[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run ``work(connection, ...)``; return its result after the commit. Raises StoreFailed and what work does.

        ``work`` may run more than once, but is committed once; after CommitUnknown, once or not at all.
        """
        result: _T = await self._hand_in(lambda connection: work(connection, *args, **kwargs))
        return result

    async def write_soon(self, work: _Work[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Like ``write``, in the order of the calls of both, but it may take a tenth of a second longer."""
        result: _T = await self._hand_in(lambda connection: work(connection, *args, **kwargs), may_wait=True)
        return result

    async def read(self, work: _Work[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run ``work(connection, ...)``, which changes nothing. Raises StoreFailed, and what work raises."""

        def run() -> _T:
            with self._reading.connect() as connection:
                return work(connection, *args, **kwargs)

        def run_on_a_live_connection() -> _T:
            try:
                return run()
            except DBAPIError as error:
                if not _lost_connection(error):
                    raise
                return run()

        try:
            return await self._readers.run(run_on_a_live_connection)
        except SQLAlchemyError as error:
            raise failed(error) from error

    async def close(self) -> None:
        """Finish the work that was handed in, then let go of the database."""
        await FILES.run(self.close_now)

    def close_now(self) -> None:
        """As ``close``, but it blocks."""
        self._jobs.put(None)
        self._writer.join()
        self._readers.join()
        self.engine.dispose()

    async def _hand_in(self, work: Callable[[Connection], Any], *, may_wait: bool = False) -> Any:
        job = _Job(work, asyncio.get_running_loop(), may_wait)
        self._jobs.put(job)
        return await asyncio.wrap_future(job.done)

    def _write_until_closed(self) -> None:
        open_ = True
        while open_:
            jobs, open_ = self._gather()
            # From here on a job cannot be cancelled: each is either not begun, or told its result.
            if begun := [job for job in jobs if job.done.set_running_or_notify_cancel()]:
                self._commit_or_tell(begun)

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

    def _commit_or_tell(self, jobs: list[_Job]) -> None:
        """Commit jobs, and tell them what went wrong: the jobs that come after them are still done."""
        try:
            self._commit_together(jobs)
        except Exception as error:
            _log.exception("store_writer_failed")
            for job in jobs:
                if not job.done.done():
                    job.done.set_exception(error)

    def _commit_together(self, jobs: list[_Job], tries: int = _TRIES) -> None:
        try:
            results = self._transact(jobs)
        except Exception as error:
            if tries > 1 and _was_undone_by_chance(error):
                self._commit_together(jobs, tries - 1)
            elif len(jobs) > 1 and not _concerns_all(error):
                for job in jobs:  # the error is for the job that caused it, not for its neighbours
                    self._commit_together([job])
            else:
                told = failed(error) if isinstance(error, SQLAlchemyError) else error
                if _is_the_databases_own(error):
                    self._refusal = time.monotonic(), str(told)
                for job in jobs:
                    job.done.set_exception(told)
        else:
            for job, result in zip(jobs, results, strict=True):
                job.done.set_result(result)

    def _transact(self, jobs: list[_Job]) -> list[Any]:
        topics: set[Topic] = set()
        try:
            with _transaction(self.engine) as connection:
                collected(connection)  # drops what was announced before a rollback
                results = [job.work(connection) for job in jobs]
                topics = collected(connection)
                if self._has_other_nodes:
                    notify(connection, self._name, topics)
        finally:  # also when it is not known whether it was committed
            self._wake(jobs[0].loop, topics)
        return results

    def _wake(self, loop: asyncio.AbstractEventLoop, topics: set[Topic]) -> None:
        if topics:
            with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(self.wakeups.wake, topics)


@dataclass(frozen=True, slots=True)
class _Job:
    """One unit of work, and whoever waits for it. It may run again, when something made the first try fail."""

    work: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    may_wait: bool
    done: Future[Any] = field(default_factory=Future)


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction, committed at the end of the block. Raises StoreFailed when it cannot begin, and CommitUnknown."""
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(engine.connect())
            connection.begin()
        except SQLAlchemyError as error:
            raise failed(error) from error
        yield connection
        try:
            connection.commit()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise CommitUnknown("the database went away in the middle of a commit") from error
            raise


def _was_undone_by_chance(error: Exception) -> bool:
    """Whether a transaction was not committed, and may well be when it is tried again."""
    return _lost_connection(error) or (
        isinstance(error, DBAPIError) and str(getattr(error.orig, "sqlstate", None)).startswith(_ROLLED_BACK)
    )


def _concerns_all(error: Exception) -> bool:
    """Whether an error is not about one unit of work; each of them alone would take as long to fail."""
    return isinstance(error, StoreFailed) or _lost_connection(error)


def _is_the_databases_own(error: Exception) -> bool:
    """Whether an error is about the state of the database: other work might have been refused as well."""
    return isinstance(error, (StoreFailed, OperationalError, InternalError))


def _lost_connection(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated

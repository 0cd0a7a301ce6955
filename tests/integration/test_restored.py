"""A backup that was taken while calls were made, restored after more calls: nobody is called twice."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.admin.restore import Restored, after_restore
from bridge.admin.unserved import DaemonRuns
from bridge.asterisk.journal import Journal
from bridge.base.data_folder import CannotUseDataDir
from bridge.base.tasks import Supervisor
from bridge.dialer.lease import LEASE, Lease
from bridge.messages.message import Bulk, Content, Message, Retry
from bridge.messages.progress import Report
from bridge.settings import Settings
from bridge.store import Claim, Store
from tests.claims import claim
from tests.schema import make_schema

NOW = datetime.now(UTC).replace(microsecond=0)
RETRY = Retry(min_period=1, max_period=1, max_count=2)
Databases = Callable[[], str]


def settings(url: str, folder: Path) -> Settings:
    return Settings.model_validate({"database_url": url, "data_dir": folder})


def backed_up(url: str, folder: Path) -> Path:
    """A backup as the documentation has it, while others write."""
    copy = folder / "backup"
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as source:
            source.execute("VACUUM INTO ?", (str(copy),))
        source.close()
    else:
        subprocess.run(["pg_dump", "--format=custom", f"--file={copy}", url], check=True)
    return copy


def restored(url: str, copy: Path) -> None:
    """The backup in the place of what has come since."""
    if url.startswith("sqlite"):
        file = Path(url.removeprefix("sqlite:///"))
        for rest in file.parent.glob(f"{file.name}-*"):
            rest.unlink()
        shutil.copyfile(copy, file)
    else:
        subprocess.run(["pg_restore", "--clean", "--if-exists", f"--dbname={url}", str(copy)], check=True)


async def accept(store: Store, *names: str, retry: Retry | None = None, later: timedelta = timedelta()) -> None:
    at = NOW + later
    content = Content(text="Hello", retry=retry)
    messages = [Message(name, "41793026727", None, content, at, at + timedelta(hours=6)) for name in names]
    await store.messages.accept(Bulk(f"bulk-of-{names[0]}", "acme", NOW, messages))


async def finish(store: Store, claimed: Claim) -> None:
    ended = replace(claimed.attempt, ended_at=NOW, status_id=5, error_id=5000)
    await store.calls.finish(claimed.key, ended, status_id=5, error_id=5000, done_at=NOW)


async def reports(store: Store) -> dict[str, tuple[int, int]]:
    found: list[Report] = []
    while some := await store.reports.take("acme", limit=100):
        found += some
    statuses = {report.message.id: (report.status_id, report.error_id) for report in found}
    assert len(statuses) == len(found)
    return statuses


async def test_what_may_have_been_called_since_the_backup_ends_unknown(database_url: str, tmp_path: Path) -> None:
    store = Store(database_url)
    await accept(store, *(f"before-{n}" for n in range(5)))
    for claimed in await claim(store, NOW):
        await finish(store, claimed)
    assert len(await reports(store)) == 5
    await accept(store, *(f"m{n}" for n in range(20)))
    await accept(store, "next-week", later=timedelta(days=7))
    under_way = await claim(store, NOW, limit=5)
    calling = asyncio.create_task(_call_all(store))
    copy = await asyncio.to_thread(backed_up, database_url, tmp_path)
    rang = {claimed.message.id for claimed in [*under_way, *await calling]}
    assert len(rang) == 20
    await store.close()
    restored(database_url, copy)

    done = await after_restore(settings(database_url, tmp_path), call_again=False, now=NOW)
    store = Store(database_url)
    assert await claim(store, NOW + timedelta(days=30)) == []
    assert await store.calls.all_open() == []
    statuses = await reports(store)
    assert done == Restored(known=0, unknown=sum(status == (22, 5500) for status in statuses.values()))
    assert rang - {name for name, status in statuses.items() if status == (5, 5000)} <= set(statuses)
    assert statuses["next-week"] == (22, 5500)
    assert not any(name.startswith("before") for name in statuses), "those were taken before the backup"
    await store.close()


async def _call_all(store: Store) -> list[Claim]:
    called = []
    while claims := await claim(store, NOW, limit=1):
        await finish(store, claims[0])
        called += claims
    return called


@pytest.fixture
def journal(tmp_path: Path) -> Callable[..., None]:
    """Writes what Asterisk would."""
    (tmp_path / "journal").mkdir()
    file = Journal(tmp_path / "journal").file("127.0.0.1:5038", NOW)

    def write(channel_id: str, *words: str) -> None:
        with file.open("a") as lines:
            lines.writelines(f"{NOW:%Y-%m-%dT%H:%M:%S}.000Z {channel_id} {word}\n" for word in ("dialling", *words))

    return write


async def test_a_call_of_the_backup_ends_as_the_journal_tells(
    database_url: str, tmp_path: Path, journal: Callable[..., None]
) -> None:
    store = Store(database_url)
    await accept(store, "answered", "busy", "silent", "cut", "refused")
    await accept(store, "busy-before", "answered-later", retry=RETRY)
    calls = {claimed.message.id: claimed.attempt.id for claimed in await claim(store, NOW)}
    await store.close()
    journal(calls["answered"], "answered", "ended 16 Up callee 200")
    journal(calls["busy"], "ended 17 Down callee 486")
    journal(calls["cut"], "answered")
    journal(calls["refused"], "ended 38 Down callee 503")
    journal(f"{calls['refused']}-1", "answered", "ended 16 Up callee 200")
    journal(calls["busy-before"], "ended 17 Down callee 486")
    journal(calls["answered-later"], "answered", "ended 16 Up callee 200")
    done = await after_restore(settings(database_url, tmp_path), call_again=False, now=NOW)
    assert done == Restored(known=5, unknown=2)
    store = Store(database_url)
    assert await reports(store) == {
        "answered": (5, 5000),
        "busy": (15, 5002),
        "cut": (5, 5000),
        "refused": (5, 5000),
        "silent": (22, 5500),
        "busy-before": (22, 5500),
        "answered-later": (5, 5000),
    }
    (attempt,) = await store.messages.attempts("acme", "busy-before")
    assert (attempt.status_id, attempt.error_id) == (15, 5002)
    assert await claim(store, NOW + timedelta(hours=1)) == []
    await store.close()


async def test_who_wants_so_calls_what_waits_again_but_not_what_is_known(
    database_url: str, tmp_path: Path, journal: Callable[..., None]
) -> None:
    store = Store(database_url)
    await accept(store, "answered")
    await accept(store, "busy", retry=RETRY)
    calls = {claimed.message.id: claimed.attempt.id for claimed in await claim(store, NOW)}
    await accept(store, "waiting")
    await store.close()
    journal(calls["answered"], "answered", "ended 16 Up callee 200")
    journal(calls["busy"], "ended 17 Down callee 486")
    assert await after_restore(settings(database_url, tmp_path), call_again=True, now=NOW) == Restored(2, 0)
    store = Store(database_url)
    assert await reports(store) == {"answered": (5, 5000)}
    again = await claim(store, NOW + timedelta(hours=1))
    assert sorted(claimed.message.id for claimed in again) == ["busy", "waiting"]
    await store.close()


async def test_a_daemon_that_serves_the_database_is_not_pulled_the_ground_from_under(
    database_url: str, tmp_path: Path
) -> None:
    async with served_by("another-machine", database_url) as store:
        await accept(store, "waiting")
        # As the row is in a backup: its time is long over, and the daemon comes to renew it.
        await store.nodes.renew("another-machine", "this-one", NOW - timedelta(days=1))
        with pytest.raises(DaemonRuns, match="another-machine"):
            await after_restore(settings(database_url, tmp_path), call_again=False, now=NOW)
        assert await reports(store) == {}
        assert len(await claim(store, NOW)) == 1


@pytest.mark.any_database
async def test_a_lease_that_came_with_the_backup_holds_nobody_up_for_long(database_url: str, tmp_path: Path) -> None:
    store = Store(database_url)
    await accept(store, "waiting")
    await store.nodes.take("just-now", "an-instance", NOW, NOW + LEASE)
    await store.nodes.take("fast-clock", "an-instance", NOW, NOW + timedelta(days=1))
    await store.close()
    assert await after_restore(settings(database_url, tmp_path), call_again=False, now=NOW) == Restored(0, 1)


@pytest.mark.any_database
def test_a_daemon_in_the_data_folder_is_seen_at_once(tmp_path: Path, database_url: str) -> None:
    make_schema(database_url)
    holds = (
        "import sys; from pathlib import Path; from bridge.base.data_folder import occupy; occupy(Path(sys.argv[1]));"
    )
    command = [sys.executable, "-c", f"{holds} print('has it', flush=True); sys.stdin.read()", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout
        assert daemon.stdout.readline() == "has it\n"
        with pytest.raises(CannotUseDataDir, match="another daemon runs"):
            asyncio.run(after_restore(settings(database_url, tmp_path), call_again=False, now=NOW))


@asynccontextmanager
async def served_by(node: str, url: str) -> AsyncIterator[Store]:
    """What a daemon on another machine does all the time."""
    store = Store(url)
    supervisor = Supervisor(on_dead=lambda _: None)
    lease = Lease(store.nodes, node=node, instance="this-one", supervisor=supervisor, on_superseded=lambda: None)
    await lease.take()
    try:
        yield store
    finally:
        await lease.leave()
        await store.close()

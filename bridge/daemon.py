"""The daemon: builds, starts and stops all its parts."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import structlog

from bridge.admin.asterisk_config import hosts, registrations
from bridge.api.application import create_app
from bridge.api.http.authentication import Authenticator
from bridge.api.http.services import Readiness
from bridge.api.http.site import Site
from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.asterisk.trunks import TrunkWatch
from bridge.base import garbage
from bridge.base.data_folder import occupy
from bridge.base.errors import WRONG_SETTINGS, VoicebridgeError
from bridge.base.logs import configure_logs, log_what_nobody_awaits
from bridge.base.objects import Objects
from bridge.base.outbound import Outbound
from bridge.base.service_manager import READY, STOPPING, tell, tell_alive
from bridge.base.tasks import Supervisor
from bridge.calls.runner import AttemptRunner
from bridge.dialer.dialer import Dialer
from bridge.dialer.recovery import Recovery
from bridge.dialer.traffic import Traffic
from bridge.messages.attempt import Attempt
from bridge.messages.routes import Routes
from bridge.recordings.files import RecordingFiles
from bridge.recordings.uploads import RecordingUploads
from bridge.reports.cdr_files import CdrFiles
from bridge.reports.push import Pusher
from bridge.reports.retention import Limits, Retention
from bridge.reports.signature import signing_key
from bridge.settings import Settings
from bridge.speech.cache.files import make_folder
from bridge.speech.engine_registry import build_engines
from bridge.speech.speech import Speech
from bridge.store import Store, StoreFailed, Topic, TrunkLimit

_log = structlog.get_logger(__name__)

_SWITCH_SECONDS = 0.001
"""Seconds for which another thread, at work on a large request, may keep the loop's waiting (sys.setswitchinterval)."""
_ASTERISK_WRITES_MODE = 0o2770
"""The mode of folders that Asterisk writes to: the operator gives them to a group of the daemon and Asterisk."""


class NoCredentials(VoicebridgeError):
    """Nobody could use the API: there is neither an API key nor a user with a password."""

    id = "NO_CREDENTIALS"
    exit_status = WRONG_SETTINGS


class Superseded(VoicebridgeError):
    """Another daemon has taken this node's name."""

    id = "SUPERSEDED"
    exit_status = 3


async def serve(settings: Settings) -> None:
    """Run the daemon until SIGTERM or SIGINT; then take no new work, let live calls end, and stop.

    It stops likewise, and raises Superseded, when another daemon has taken the node's name, or PartCannotLive when a
    part cannot live.
    """
    configure_logs(settings.log_level)
    log_what_nobody_awaits(asyncio.get_running_loop())
    stop = asyncio.Event()
    daemon = Daemon(settings, on_over=stop.set)
    await daemon.start()
    # Otherwise each full collection looks through all that was imported, and no call is served for 60 ms meanwhile.
    garbage.settle()
    sys.setswitchinterval(_SWITCH_SECONDS)
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    tell(READY)
    await stop.wait()
    tell(STOPPING)
    await daemon.stop()
    if daemon.over is not None:
        raise daemon.over


class Daemon:
    """All parts of the daemon, wired.

    The constructor and ``start`` raise VoicebridgeError when one cannot work. ``on_over`` is called when the daemon
    cannot go on, and is to be stopped; ``over`` then has the reason.
    """

    def __init__(self, settings: Settings, on_over: Callable[[], None]) -> None:
        self._settings = settings
        self._on_over = on_over
        self.over: VoicebridgeError | None = None
        self._is_stopping = False
        self._stack = AsyncExitStack()
        self._supervisor = Supervisor(on_dead=self._end)
        trunks = settings.all_trunks
        routes = Routes((prefix, trunk.name) for trunk in trunks for prefix in trunk.prefixes)
        limits = [TrunkLimit(trunk.name, trunk.calls_per_second, trunk.max_calls) for trunk in trunks]
        self._traffic = Traffic(limits)
        secret = settings.webhook_secret
        key = None if secret is None else signing_key(secret.get_secret_value())
        self._links = [AmiLink(url.get_secret_value()) for url in settings.ami_urls]
        self._journal = Journal(settings.journal_dir)
        engines = build_engines(settings.speech_engines)
        formats = settings.formats
        # The first that has to be closed: what stands before it needs no closing, what follows refuses no settings.
        self._store = Store(settings.store_url, routes, formats=formats, place=occupy(settings.data_dir))
        self._outbound = Outbound(allow_private=settings.allow_private_urls)
        bucket = settings.bucket
        self._objects = None if bucket is None else Objects(bucket)
        self._speech = Speech(
            cache_dir=settings.speech_dir,
            codecs=settings.all_codecs,
            engines=engines,
            outbound=self._outbound,
            objects=self._objects,
        )
        self._recordings = RecordingFiles(settings.data_dir / "recordings", node=settings.node, objects=self._objects)
        self._uploads = RecordingUploads(recordings=self._store.recordings, files=self._recordings, node=settings.node)
        self._cdr_files = CdrFiles(settings.data_dir / "cdr")
        self._retention = Retention(
            store=self._store,
            recordings=self._recordings,
            speech=self._speech,
            cdr_files=self._cdr_files,
            sweep_journal=self._journal.sweep,
            node=settings.node,
            limits=Limits(
                messages=timedelta(days=settings.message_days),
                recordings=timedelta(days=settings.recording_days),
                cdr_files=timedelta(days=settings.cdr_days),
                speech_bytes=settings.speech_cache_bytes,
            ),
        )
        self._pusher = Pusher(
            outbox=self._store.outbox, outbound=self._outbound, key=key, at=settings.url_for_receivers
        )
        self._store.subscribe(Topic.PUSH, self._pusher.wake)
        self._watch = TrunkWatch(self._links, registrations(settings), hosts(settings))
        self._switchboards = [Switchboard(link, self._journal) for link in self._links]
        by_name = {switchboard.name: switchboard for switchboard in self._switchboards}
        runner = AttemptRunner(
            store=self._store,
            exchanges=by_name,
            speech=self._speech,
            recordings=self._recordings,
            outbound=self._outbound,
            routes=routes,
            pace=self._traffic,
            formats=formats,
            on_settled=self._settled,
        )
        self._recovery = Recovery(
            store=self._store,
            exchanges=by_name,
            journal=self._journal,
            runner=runner,
            node=settings.node,
            supervisor=self._supervisor,
        )
        self._dialer = Dialer(
            store=self._store,
            exchanges=self._switchboards,
            runner=runner,
            node=settings.node,
            instance=uuid4().hex,
            trunks=limits,
            routes=routes,
            watch=self._watch,
            traffic=self._traffic,
            supervisor=self._supervisor,
            on_superseded=self._superseded,
        )
        self._site = Site(
            create_app(
                store=self._store,
                authenticator=Authenticator(
                    keys=settings.api_keys, users=settings.users, kept=self._store.accounts.credentials
                ),
                speech=self._speech,
                recordings=self._recordings,
                readiness=self._readiness,
                max_body_bytes=settings.max_body_bytes,
                public_url=settings.public_url,
            ),
            settings.host,
            settings.port,
        )

    async def start(self) -> None:
        """Begin to dial and to answer requests. When that fails, what was begun is ended again."""
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()

    async def stop(self) -> None:
        """Dial nothing more, let live calls end while requests are still answered, and end all parts in turn."""
        _log.info("stopping")
        self._is_stopping = True
        await self._stack.aclose()

    async def _start(self, ends: AsyncExitStack) -> None:
        """Start all parts, and push the end of each onto ``ends``: the one begun last is ended first."""
        ends.push_async_callback(self._store.close)
        await self._refuse_to_serve_nobody()
        make_folder(self._recordings.folder, _ASTERISK_WRITES_MODE)
        make_folder(self._settings.journal_dir, _ASTERISK_WRITES_MODE)
        ends.push_async_callback(self._outbound.close)
        await self._outbound.start()
        if self._objects is not None:
            ends.push_async_callback(self._objects.close)
            await self._objects.start()
        ends.push_async_callback(self._speech.close)
        await self._speech.start()
        await self._store.messages.reroute()
        for switchboard in self._switchboards:
            ends.push_async_callback(switchboard.close)
        # Calls that are drained need these parts: they end after the calls, but begin only with the node's name.
        ends.push_async_callback(self._supervisor.stop)
        ends.push_async_callback(self._site.close)
        # The address first: the name is not taken from a daemon that serves there. Requests wait until it is ours.
        await self._site.bind()
        ends.push_async_callback(self._dialer.drain, self._settings.drain_seconds)
        await self._dialer.start()
        for link in self._links:
            self._supervisor.keep(f"link to {link.name}", link.stay_connected)
        ends.push_async_callback(self._recovery.stop)
        self._recovery.start()
        await self._site.open()
        self._supervisor.keep("wakeups", self._store.hear)
        self._supervisor.keep("trunk watch", self._watch.run)
        self._supervisor.keep("push", self._pusher.run)
        self._supervisor.keep("retention", self._retention.run)
        self._supervisor.keep("watchdog", tell_alive)
        self._supervisor.keep("garbage", garbage.collect)
        if self._objects is not None:
            self._supervisor.keep("recording uploads", self._uploads.run)

    def _superseded(self) -> None:
        name = self._settings.node
        self._end(Superseded(f"another daemon has taken the name of the node {name!r}: set VOICEBRIDGE_NODE"))

    def _end(self, reason: VoicebridgeError) -> None:
        self.over = self.over or reason
        self._on_over()

    async def _refuse_to_serve_nobody(self) -> None:
        settings = self._settings
        if not settings.api_keys and not settings.users and not await self._store.accounts.credentials():
            raise NoCredentials(
                "set VOICEBRIDGE_API_KEY, or VOICEBRIDGE_USER and VOICEBRIDGE_PASSWORD, or run voicebridge keys add"
            )

    async def _settled(self, account: str, bulk_id: str, attempt: Attempt) -> None:
        self._uploads.wake()
        try:
            await self._cdr_files.append(account, bulk_id, attempt)
        except OSError as error:
            _log.error("cdr_not_written", attempt=attempt.id, reason=error)

    async def _readiness(self) -> Readiness:
        traffic = self._traffic.standing()
        return Readiness(
            problems={
                "daemon": "it is stopping" if self._is_stopping else None,
                "asterisk": self._no_asterisk(),
                "store": await self._store_problem(),
                "trunk": self._watch.problem,
                "parts": self._supervisor.problem,
            },
            trunks={name: (self._watch.standing(name), traffic[name]) for name in traffic},
        )

    def _no_asterisk(self) -> str | None:
        if any(link.connected for link in self._links):
            return None
        return "; ".join(f"{link.name}: {link.problem}" for link in self._links)

    async def _store_problem(self) -> str | None:
        try:
            await self._store.check()
        except StoreFailed as error:
            return str(error)
        return None

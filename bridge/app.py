"""The daemon: everything is built, started and stopped here."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog
from aiohttp import web

from bridge.api.application import create_app
from bridge.api.authentication import Authenticator
from bridge.asterisk import AmiLink, Switchboard
from bridge.config import Settings
from bridge.dialer import AttemptRunner, Dialer
from bridge.errors import VoicebridgeError
from bridge.logs import configure_logs
from bridge.messages.attempt import Attempt
from bridge.messages.statuses import EXPIRED_UNKNOWN, INTERNAL_SERVER_ERROR
from bridge.outbound import Outbound
from bridge.reports.cdr_files import CdrFiles
from bridge.reports.push import Pusher
from bridge.reports.recordings import RecordingFiles
from bridge.reports.retention import Retention
from bridge.reports.signature import signing_key
from bridge.speech import Speech, build_engines
from bridge.speech.files import make_folder
from bridge.store import Store

_log = structlog.get_logger(__name__)

_ACCOUNT = "default"

_RECORDINGS_MODE = 0o2770
"""Asterisk writes there, and nobody else looks: the operator gives the folder to a group that both are in."""


class NoCredentials(VoicebridgeError):
    """Nobody could use the API: there is neither an API key nor a user with a password."""

    id = "NO_CREDENTIALS"


async def serve(settings: Settings) -> None:
    """Run the daemon until SIGTERM or SIGINT; then take no new work, let live calls end, and stop."""
    configure_logs(settings.log_level)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    daemon = Daemon(settings)
    await daemon.start()
    # Otherwise each full collection looks through all that was imported, and no call is served for 60 ms meanwhile.
    gc.collect()
    gc.freeze()
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    await stop.wait()
    await daemon.stop()


class Daemon:
    """All rooms, wired. Raises VoicebridgeError, at once or from ``start``, when one cannot work."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = Store(settings.store_url)
        self._outbound = Outbound(allow_private=settings.allow_private_urls)
        self._speech = Speech(
            cache_dir=settings.data_dir / "speech",
            codecs=settings.trunk_codecs,
            engines=build_engines(settings.speech_engines),
            outbound=self._outbound,
        )
        self._recordings = RecordingFiles(settings.data_dir / "recordings")
        self._retention = Retention(
            store=self._store,
            files=self._recordings,
            drop_upload=self._speech.drop_upload,
            node=settings.node,
            keep=timedelta(days=settings.recording_days),
        )
        secret = settings.webhook_secret
        self._pusher = Pusher(
            store=self._store,
            outbound=self._outbound,
            key=None if secret is None else signing_key(secret.get_secret_value()),
        )
        self._link = AmiLink(settings.ami_url.get_secret_value())
        self._switchboard = Switchboard(self._link)
        self._cdr_files = CdrFiles(settings.data_dir / "cdr")
        runner = AttemptRunner(
            store=self._store,
            switchboard=self._switchboard,
            speech=self._speech,
            recordings=self._recordings,
            outbound=self._outbound,
            caller_id=settings.caller_id,
            on_settled=self._write_cdr,
        )
        self._dialer = Dialer(
            store=self._store,
            link=self._link,
            runner=runner,
            node=settings.node,
            trunk=settings.trunk,
            max_calls=settings.trunk_max_calls,
            calls_per_second=settings.trunk_calls_per_second,
        )
        self._web = web.AppRunner(
            create_app(
                store=self._store,
                authenticator=_authenticator(settings, self._store),
                speech=self._speech,
                recordings=self._recordings,
                on_accepted=self._dialer.wake,
                on_canceled=runner.cancel,
                readiness=self._readiness,
                max_body_bytes=settings.max_body_bytes,
            ),
            access_log=None,
        )

    async def start(self) -> None:
        """Begin to dial and to answer requests."""
        await self._refuse_to_serve_nobody()
        make_folder(self._recordings.folder, _RECORDINGS_MODE)
        await self._outbound.start()
        await self._speech.start()
        await self._link.start()
        await self._settle_lost_attempts()
        self._dialling = asyncio.create_task(self._dialer.run())
        self._pushing = asyncio.create_task(self._pusher.run())
        self._sweeping = asyncio.create_task(self._retention.run())
        await self._web.setup()
        site = web.TCPSite(self._web, self._settings.host, self._settings.port)
        await site.start()
        _log.info("serving", url=site.name)

    async def stop(self) -> None:
        """Take no new work, let live calls end, close AMI last."""
        _log.info("stopping")
        self._dialling.cancel()
        await self._dialer.drain(self._settings.drain_seconds)
        await self._web.cleanup()
        self._sweeping.cancel()
        self._pushing.cancel()
        await asyncio.wait((self._sweeping, self._pushing))
        await self._outbound.close()
        await self._speech.close()
        await self._store.close()
        await self._link.close()

    async def _refuse_to_serve_nobody(self) -> None:
        settings = self._settings
        in_settings = settings.api_key or (settings.user and settings.password)
        if not in_settings and not await self._store.credentials():
            raise NoCredentials(
                "set VOICEBRIDGE_API_KEY, or VOICEBRIDGE_USER and VOICEBRIDGE_PASSWORD, or run voicebridge keys add"
            )

    async def _settle_lost_attempts(self) -> None:
        """End what a former run left open; whether the telephone rang is not known, so it is not called again."""
        now = datetime.now(UTC)
        for key, attempt in await self._store.open_attempts(self._settings.node):
            lost = replace(attempt, ended_at=now, status_id=EXPIRED_UNKNOWN, error_id=INTERNAL_SERVER_ERROR)
            await self._store.finish(key, lost, status_id=EXPIRED_UNKNOWN, error_id=INTERNAL_SERVER_ERROR, done_at=now)
            _log.warning("attempt_lost", message=attempt.message_id, attempt=attempt.id)

    async def _write_cdr(self, account: str, bulk_id: str, attempt: Attempt) -> None:
        self._pusher.wake()
        try:
            await self._cdr_files.append(account, bulk_id, attempt)
        except OSError as error:
            _log.error("cdr_not_written", attempt=attempt.id, reason=error.strerror)

    async def _readiness(self) -> Mapping[str, str | None]:
        return {"asterisk": self._link.problem}


def _authenticator(settings: Settings, store: Store) -> Authenticator:
    keys = {settings.api_key.get_secret_value(): _ACCOUNT} if settings.api_key else {}
    users = {}
    if settings.user and settings.password:
        users[settings.user, settings.password.get_secret_value()] = _ACCOUNT
    return Authenticator(keys=keys, users=users, kept=store.credentials)

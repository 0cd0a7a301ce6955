"""The daemon: everything is built, started and stopped here."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

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
from bridge.reports.cdr_files import CdrFiles
from bridge.speech import Speech, build_engines
from bridge.store import Store

_log = structlog.get_logger(__name__)

_ACCOUNT = "default"


class NoCredentials(VoicebridgeError):
    """Nobody could use the API: neither an API key nor a user with a password is set."""

    id = "NO_CREDENTIALS"


async def serve(settings: Settings) -> None:
    """Run the daemon until SIGTERM or SIGINT; then take no new work, let live calls end, and stop."""
    configure_logs(settings.log_level)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    daemon = Daemon(settings)
    await daemon.start()
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    await stop.wait()
    await daemon.stop()


class Daemon:
    """All rooms, wired. Raises VoicebridgeError, at once or from ``start``, when one cannot work."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        authenticator = _authenticator(settings)
        self._store = Store(settings.store_url)
        self._speech = Speech(
            cache_dir=settings.data_dir / "speech",
            codecs=settings.trunk_codecs,
            engines=build_engines(settings.speech_engines),
        )
        self._link = AmiLink(settings.ami_url.get_secret_value())
        self._switchboard = Switchboard(self._link)
        self._cdr_files = CdrFiles(settings.data_dir / "cdr")
        runner = AttemptRunner(
            store=self._store, switchboard=self._switchboard, speech=self._speech, on_settled=self._write_cdr
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
                authenticator=authenticator,
                languages=self._speech.languages(),
                on_accepted=self._dialer.wake,
                readiness=self._readiness,
                max_body_bytes=settings.max_body_bytes,
            ),
            access_log=None,
        )

    async def start(self) -> None:
        """Begin to dial and to answer requests."""
        await self._speech.start()
        await self._link.start()
        await self._settle_lost_attempts()
        self._dialling = asyncio.create_task(self._dialer.run())
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
        await self._speech.close()
        await self._store.close()
        await self._link.close()

    async def _settle_lost_attempts(self) -> None:
        """End what a former run left open; whether the telephone rang is not known, so it is not called again."""
        now = datetime.now(UTC)
        for key, attempt in await self._store.open_attempts(self._settings.node):
            lost = replace(attempt, ended_at=now, status_id=EXPIRED_UNKNOWN, error_id=INTERNAL_SERVER_ERROR)
            await self._store.finish(key, lost, status_id=EXPIRED_UNKNOWN, error_id=INTERNAL_SERVER_ERROR, done_at=now)
            _log.warning("attempt_lost", message=attempt.message_id, attempt=attempt.id)

    async def _write_cdr(self, account: str, bulk_id: str, attempt: Attempt) -> None:
        try:
            await self._cdr_files.append(account, bulk_id, attempt)
        except OSError as error:
            _log.error("cdr_not_written", attempt=attempt.id, reason=error.strerror)

    async def _readiness(self) -> Mapping[str, str | None]:
        return {"asterisk": self._link.problem}


def _authenticator(settings: Settings) -> Authenticator:
    keys = {settings.api_key.get_secret_value(): _ACCOUNT} if settings.api_key else {}
    users = {}
    if settings.user and settings.password:
        users[settings.user, settings.password.get_secret_value()] = _ACCOUNT
    if not keys and not users:
        raise NoCredentials("set VOICEBRIDGE_API_KEY, or VOICEBRIDGE_USER and VOICEBRIDGE_PASSWORD")
    return Authenticator(keys=keys, users=users)

"""Pushing reports to the notifyUrl of their message (``docs/reference/api.md``)."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import structlog
from pydantic_core import to_json
from structlog.contextvars import bind_contextvars

from bridge.base.backoff import is_set_within
from bridge.base.outbound import Outbound, OutboundFailed, OutboundRefused, Response
from bridge.base.tasks import Background
from bridge.messages.message import Notify
from bridge.messages.progress import Report
from bridge.reports.signature import webhook_headers
from bridge.reports.v1 import report_v1
from bridge.reports.v2 import report_v2
from bridge.reports.xml import results_as_xml
from bridge.store import Outbox, Push, StoreFailed

MOST_RETRIES = 20
"""The last one comes a good 48 hours after the first try."""

_MOST_AT_ONCE = 8
"""Pushes to one server, so that one that is slow holds up only itself."""
_MOST_AT_ONCE_OF_ALL = 256
_ANSWER_SECONDS = 15.0
_LEASE = timedelta(seconds=60)
_LONGEST_REST_SECONDS = 1.0
_LAST_ANSWERS_SECONDS = 5.0
_TAKEN = range(200, 300)
_MOST_ANSWER_BYTES = 64_000
"""The body is not used, but read: a connection whose answer was read is used again."""

_log = structlog.get_logger(__name__)


def wait_before_retry(number: int) -> timedelta:
    """How long after a failure retry ``number`` (from 1) comes: 1 minute + 1 minute * number**2."""
    return timedelta(minutes=1 + number**2)


def push_body(report: Report, notify: Notify, at: str = "") -> bytes:
    """``{"results": […]}`` with the one report, in the version and content type that were asked for.

    ``at`` is as in `report_v1`.
    """
    form = report_v1(report, at) if notify.version == 1 else report_v2(report)
    return results_as_xml([form]) if notify.content_type == "application/xml" else to_json({"results": [form]})


def webhook_id(account: str, message_id: str) -> str:
    """The id of a report's webhook: the same for every try, so that a receiver knows one that it has already."""
    return f"msg_{sha256(f'{account} {message_id}'.encode()).hexdigest()[:32]}"


class Pusher:
    """Pushes the reports of the outbox, until their receivers take them or the last retry has failed.

    ``key`` signs them; ``at`` is where their receivers find the API. A push that is cut off when the daemon stops is
    made again, by any node.
    """

    def __init__(self, *, outbox: Outbox, outbound: Outbound, key: bytes | None, at: str = "") -> None:
        self._outbox = outbox
        self._outbound = outbound
        self._key = key
        self._at = at
        self._pushes = Background("push_not_settled")
        self._busy: Counter[str] = Counter()
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look into the outbox now."""
        self._awake.set()

    async def run(self) -> None:
        """Push what is due until cancelled."""
        try:
            while True:
                self._awake.clear()
                try:
                    await self._start_due()
                except StoreFailed as error:
                    _log.error("outbox_not_read", reason=error)
                await is_set_within(self._awake, _LONGEST_REST_SECONDS)
        except asyncio.CancelledError:
            await self._pushes.wait(_LAST_ANSWERS_SECONDS)
            self._pushes.cancel()
            raise

    async def _start_due(self) -> None:
        room = _MOST_AT_ONCE_OF_ALL - len(self._pushes)
        if room <= 0:
            return
        now = datetime.now(UTC)
        claimed = await self._outbox.claim(
            now=now, until=now + _LEASE, busy=self._busy, most_at_once=_MOST_AT_ONCE, limit=room
        )
        for push in claimed:
            self._busy[push.server] += 1
            self._pushes.begin(self._push(push))

    async def _push(self, push: Push) -> None:
        attempt = push.report.attempt
        bind_contextvars(message=push.report.message.id, attempt=attempt and attempt.id)
        try:
            await self._settle(push, await self._send(push))
        except StoreFailed as error:  # it is pushed again when its lease is over
            _log.error("push_not_settled", reason=error)
        finally:
            self._busy[push.server] -= 1
            self._awake.set()

    async def _send(self, push: Push) -> str | None:
        """What went wrong; None when the receiver took the report, of which its status line (2xx) is enough."""
        try:
            answer = await self._post(push)
        except (OutboundFailed, OutboundRefused) as error:
            return str(error)
        except Exception:  # a report over which our own code fails must not be tried without end
            _log.exception("push_failed")
            return "a fault of ours"
        return None if answer.status in _TAKEN else f"HTTP status {answer.status}"

    async def _post(self, push: Push) -> Response:
        message = push.report.message
        notify = message.content.notify
        assert notify is not None, "only a message with a notifyUrl is put into the outbox"
        body = push_body(push.report, notify, self._at)
        signed = webhook_headers(webhook_id(push.account, message.id), datetime.now(UTC), body, self._key)
        return await self._outbound.fetch(
            "POST",
            notify.url,
            headers={"Content-Type": notify.content_type, **signed},
            body=body,
            most_bytes=_MOST_ANSWER_BYTES,
            timeout=_ANSWER_SECONDS,
        )

    async def _settle(self, push: Push, problem: str | None) -> None:
        now, log = datetime.now(UTC), _log.bind(server=push.server)
        if problem is None:
            await self._outbox.delivered(push, now)
            log.info("report_pushed")
        elif push.tries < MOST_RETRIES:
            due_at = now + wait_before_retry(push.tries + 1)
            await self._outbox.retry(push, due_at, problem)
            log.warning("report_not_pushed_yet", problem=problem, again_at=due_at.isoformat())
        else:
            await self._outbox.give_up(push, now, problem)
            log.error("report_not_pushed", problem=problem)

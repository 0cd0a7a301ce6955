"""Link to the Asterisk Manager Interface (AMI): the one place from which anything is sent to Asterisk."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from bridge.asterisk.ami.address import ami_address
from bridge.asterisk.ami.wire import AmiAction, AmiProtocol, Event
from bridge.base.backoff import Backoff, Waits, is_set_within
from bridge.base.tasks import Background
from bridge.telephony.errors import ExchangeError, LinkDown, LoginRefused, Rejected, Unconfirmed, UnsafeValue

LONGEST_LINE = 1000
"""Bytes. Asterisk discards a line of more than 1,024."""
ANSWER_SECONDS = 10.0
RETRIES = Waits(first=0.25, longest=5.0)
"""Between two connections, without jitter: each node has Asterisks of its own, so no others come back with it."""

_log = structlog.get_logger(__name__)


class AmiLink:
    """Stays logged in to one Asterisk, from ``start`` to ``close``.

    ``url`` is ``ami://user:secret@host:port``. A lost link is made again, with longer and longer waits (``RETRIES``). A
    peer that is silent for twice ``ping_seconds`` counts as lost, and so does one that leaves an action unanswered for
    ``ANSWER_SECONDS``. What was sent and not answered is never sent again. ``problem`` says in words why there is no
    link, and is None while there is one. ``name`` is ``host:port``. Raises AmiAddressInvalid.
    """

    def __init__(self, url: str, *, ping_seconds: float = 2.5) -> None:
        self._address = ami_address(url)
        self.name = self._address.name
        self._ping_seconds = ping_seconds
        self._protocol: AmiProtocol | None = None
        self._logged_in = asyncio.Event()
        self._keeping = Background("ami_link_failed", logged_as={"asterisk": self.name})
        self._event_handlers: list[Callable[[Event], None]] = []
        self._login_handlers: list[Callable[[], None]] = []
        self._doing = ""
        self.problem: str | None = "not started"
        self.lost_at = datetime.now(UTC)
        """When the latest connection was found to be over."""

    def subscribe(self, on_event: Callable[[Event], None], on_login: Callable[[], None]) -> None:
        """Have ``on_event`` called with each event, in order, and ``on_login`` after each login.

        Events between two logins are lost: AMI replays nothing.
        """
        self._event_handlers.append(on_event)
        self._login_handlers.append(on_login)

    async def start(self) -> None:
        """Begin to connect, in the background."""
        self._keeping.begin(self.stay_connected())

    async def close(self) -> None:
        self._keeping.cancel()
        await self._keeping.wait()
        self.problem = "closed"

    @property
    def connected(self) -> bool:
        return self._logged_in.is_set()

    async def wait_connected(self) -> None:
        await self._logged_in.wait()

    async def send(self, action: str, **headers: str | list[str]) -> Event:
        """Send one action and return Asterisk's response to it; a list makes a header stand several times.

        Raises ``UnsafeValue`` and ``LinkDown`` (nothing was sent), ``Rejected`` (Asterisk refused), ``Unconfirmed``
        (it was sent, and nobody knows what became of it).
        """
        return (await self.collect(action, **headers))[0]

    def post(self, action: str, **headers: str | list[str]) -> None:
        """Send one action whose response is of no interest; without a link it is dropped. Raises ``UnsafeValue``."""
        _check(headers)
        if self._protocol and self.connected:
            self._protocol.send(AmiAction({"Action": action, **headers}))

    async def collect(self, action: str, **headers: str | list[str]) -> list[Event]:
        """Like ``send``, for an action that answers with a list: the response, then the list's events."""
        _check(headers)
        if self._protocol is None or not self.connected:
            raise LinkDown(f"no link to Asterisk: {self.problem or 'it was cut'}")
        return await _exchange(self._protocol, action, headers)

    async def stay_connected(self) -> None:
        """Connect, and connect again whenever the link is lost, until cancelled."""
        self.problem = "not connected yet"
        backoff = Backoff(RETRIES)
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    protocol = await self._connect()
                backoff.reset()
                await self._watch(protocol)
                self.problem = "the link was cut"
            except TimeoutError:
                self.problem = f"{self._doing}: no answer within {ANSWER_SECONDS:.0f} s"
            except (OSError, ExchangeError) as error:
                self.problem = str(error)
            except Exception:
                self.problem = "a fault of ours, see the log"
                raise
            finally:
                self._drop()
            address, wait = self._address, backoff.failed()
            _log.warning(
                "ami_link_lost", host=address.host, port=address.port, reason=self.problem, next_try_seconds=wait
            )
            await asyncio.sleep(wait)

    async def _connect(self) -> AmiProtocol:
        self._doing = f"connecting to {self._address.host}:{self._address.port}"
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(
            lambda: AmiProtocol(self._take, self._lose), self._address.host, self._address.port
        )
        self._protocol = protocol
        self._doing = "logging in"
        await self._log_in(protocol)
        self._doing = "waiting until Asterisk is fully booted, which it tells users with read = system"
        await protocol.booted.wait()
        self.problem = None
        self._logged_in.set()
        _log.info("ami_link_up", host=self._address.host, port=self._address.port)
        for on_login in self._login_handlers:
            on_login()
        return protocol

    async def _log_in(self, protocol: AmiProtocol) -> None:
        """Log in by challenge and response, so that the secret itself never goes over the link."""
        try:
            challenge = (await _exchange(protocol, "Challenge", {"AuthType": "MD5"}))[0].get("Challenge", "")
            key = hashlib.md5((challenge + self._address.secret).encode(), usedforsecurity=False).hexdigest()
            await _exchange(protocol, "Login", {"AuthType": "MD5", "Username": self._address.user, "Key": key})
        except Rejected as error:
            raise LoginRefused(
                f"Asterisk refused the login of {self._address.user!r}: check user, secret and permit"
            ) from error

    async def _watch(self, protocol: AmiProtocol) -> None:
        """Return when the connection is closed; ping a silent peer, since one that died says nothing."""
        while not protocol.lost.is_set():
            silent = protocol.silent_seconds()
            if silent > 2 * self._ping_seconds:
                raise LinkDown(f"Asterisk has been silent for {silent:.1f} s")
            if silent > self._ping_seconds:
                self.post("Ping")
            await is_set_within(protocol.lost, self._ping_seconds / 2)

    def _lose(self) -> None:
        self._logged_in.clear()
        self.lost_at = datetime.now(UTC)

    def _drop(self) -> None:
        if self._protocol:
            self._protocol.close()
            self._protocol = None

    def _take(self, event: Event) -> None:
        for handle in self._event_handlers:
            try:
                handle(event)
            except Exception:
                # Raised from here it would make asyncio close the link, for all other calls too.
                _log.exception("ami_event_not_handled", event_name=event.get("Event"))


async def _exchange(protocol: AmiProtocol, action: str, headers: dict[str, str | list[str]]) -> list[Event]:
    answer = protocol.send(AmiAction({"Action": action, **headers}))
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            responses = await answer
    except TimeoutError:
        protocol.close()  # what Asterisk says after the next login tells more than waiting
        raise Unconfirmed(f"Asterisk did not answer {action} within {ANSWER_SECONDS:.0f} s") from None
    if responses[0].get("Response") == "Error":
        raise Rejected(f"Asterisk refused {action}: {responses[0].get('Message')}")
    return responses


def _check(headers: dict[str, str | list[str]]) -> None:
    for name, values in headers.items():
        for value in [values] if isinstance(values, str) else values:
            if any(character in value for character in "\r\n\0"):
                raise UnsafeValue(f"{name} holds a line break or a NUL")
            if len(f"{name}: {value}".encode()) > LONGEST_LINE:
                raise UnsafeValue(f"{name} is longer than {LONGEST_LINE} bytes")

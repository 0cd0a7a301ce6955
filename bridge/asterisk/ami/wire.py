"""AMI messages on the wire: panoramisk's protocol and actions, made cheap and safe.

Parsing works on whole messages as bytes: a character that is split over two TCP segments stays whole, and a message
costs a few microseconds. Nothing that was sent is ever sent a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol

from bridge.telephony.errors import LinkDown, Unconfirmed

Event = dict[str, str]
"""The headers of one AMI message, by their names as Asterisk writes them."""


class AmiAction(Action):  # type: ignore[misc]
    """An action whose ``future`` gets its response, or for a list the response and all its events."""

    def add_message(self, message: Event) -> bool:
        """Take one message that belongs to this action; True when it was the last."""
        self.responses.append(message)
        last = self.responses[0].get("EventList") != "start" or message.get("EventList") in ("Complete", "Cancelled")
        if last and not self.future.done():
            self.future.set_result(self.responses)
        return last


class AmiProtocol(AMIProtocol):  # type: ignore[misc]
    """One connection. Events that answer no action go to ``take``, in order; ``on_lost`` is called when it ends."""

    closed: bool

    def __init__(self, take: Callable[[Event], None], on_lost: Callable[[], None]) -> None:
        self._take = take
        self._on_lost = on_lost
        self._unread = b""
        self._unsent: list[AmiAction] = []
        self.booted = asyncio.Event()
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()

    def silent_seconds(self) -> float:
        return self._loop.time() - self._heard_at

    def send(self, action: AmiAction) -> asyncio.Future[list[Event]]:
        """Send the action, in one segment with all others of this pass of the event loop. Raises ``LinkDown``."""
        if self.closed:
            raise LinkDown("the link was cut")
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(action)
        self.responses[action.id] = action
        return cast(asyncio.Future[list[Event]], action.future)

    def _flush(self) -> None:
        if not self.closed:
            self.transport.write("".join(map(str, self._unsent)).encode())
        self._unsent.clear()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        *blocks, self._unread = (self._unread + data).split(b"\r\n\r\n")
        for block in blocks:
            self.handle_message(_parsed(block))

    def handle_message(self, message: Event) -> None:
        action = self.responses.get(message.get("ActionID"))
        if action is not None:
            if action.add_message(message):
                del self.responses[action.id]
            return
        if message.get("Event") == "FullyBooted":
            self.booted.set()
        self._take(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; each action that is not answered yet ends with ``Unconfirmed``."""
        if self.closed:
            return
        self.closed = True
        self._on_lost()
        self.lost.set()
        self.transport.abort()
        for action in self.responses.values():
            if not action.future.done():
                action.future.set_exception(
                    Unconfirmed(f"the link was cut before Asterisk answered {action['Action']}")
                )
                action.future.exception()  # marked as seen: nobody waits for the answer to a ping
        self.responses.clear()


def _parsed(block: bytes) -> Event:
    return dict(line.split(": ", 1) for line in block.decode("utf-8", "replace").split("\r\n") if ": " in line)

"""A small client of the API: places one call and shows its timeline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from aiohttp import ClientConnectionError, ClientSession
from rich.console import Console

from bridge.base.errors import VoicebridgeError

POLL_SECONDS = 0.05
DELIVERED = 3  # the status group of answered calls (docs/reference/errors.md)

STAGES = (
    ("dialling", "dialledAt", "dialled"),
    ("ringing", "ringingAt", "ringing"),
    ("in-progress", "answeredAt", "answered"),
)
"""The states of a live call: the member with the time of each, and the word that is shown for it."""

Show = Callable[[datetime, str], None]
"""Takes a time, and what happened then."""


class RequestRefused(VoicebridgeError):
    """The daemon did not do what was asked; the message holds its answer."""

    id = "REQUEST_REFUSED"


class DaemonUnreachable(VoicebridgeError):
    """Nothing answers at the daemon's URL."""

    id = "DAEMON_UNREACHABLE"


async def place_call(url: str, key: str, message: Mapping[str, Any], *, wait: bool) -> bool:
    """Send one message (``/tts/3/single``) and, with ``wait``, show its timeline until it is over.

    True when the call was answered, or accepted where nobody waits. Raises ``RequestRefused`` and
    ``DaemonUnreachable``.
    """
    headers = {"Authorization": f"App {key}"}
    token = await send(url, headers, message)
    if not wait:
        print(token)
        return True
    cdr = await follow(url, headers, token, show_on(Console(highlight=False)))
    return bool(cdr["status"]["groupId"] == DELIVERED)


async def send(url: str, headers: Mapping[str, str], message: Mapping[str, Any], path: str = "/tts/3/single") -> str:
    """Send one message and return its token."""
    body = {name: value for name, value in message.items() if value is not None}
    async with ClientSession(url, headers=headers) as session:
        answer = await _asked(session, "POST", path, json=body)
        return str(answer["messages"][0]["token"])


async def fetch(url: str, headers: Mapping[str, str], path: str) -> dict[str, Any]:
    """Send a GET; return the JSON object that the API answers. Raises ``RequestRefused`` and ``DaemonUnreachable``."""
    async with ClientSession(url, headers=headers) as session:
        return await _asked(session, "GET", path)


async def follow(url: str, headers: Mapping[str, str], token: str, show: Show) -> dict[str, Any]:
    """Show what happens to a message until it is over, and return its CDR (``docs/reference/cdr.md``).

    A state whose time is not known yet is shown with the time at which it was seen; the CDR has the exact ones.
    """
    async with ClientSession(url, headers=headers) as session:
        shown: set[tuple[int, str]] = set()
        while True:
            standing = await _asked(session, "GET", f"/voice/1/calls/{token}")
            _show_progress(standing, shown, show)
            if standing["state"] == "done":
                break
            await asyncio.sleep(POLL_SECONDS)
        cdr = await _asked(session, "GET", f"/voice/1/calls/{token}/cdr")
        for attempt in cdr["attempts"]:
            _show_outcome(attempt, show)
        return cdr


def show_on(console: Console) -> Show:
    """A ``Show`` that prints a line for each thing that happens, with the local time."""

    def show(at: datetime, what: str) -> None:
        local = at.astimezone()
        console.print(f"  {local:%H:%M:%S}.{local.microsecond // 1000:03}  {what}")

    return show


def _show_progress(standing: dict[str, Any], shown: set[tuple[int, str]], show: Show) -> None:
    for state, time, what in STAGES:
        stage = (max(standing["attempt"], 1), state)
        if stage not in shown and (standing[time] or standing["state"] == state):
            shown.add(stage)
            show(_time(standing[time]) if standing[time] else datetime.now(UTC), what)


def _show_outcome(attempt: dict[str, Any], show: Show) -> None:
    by = f" by the {attempt['hungUpBy']}" if attempt["hungUpBy"] else ""
    happened = [
        *((entered["at"], _entered(entered)) for entered in attempt["inputs"]),
        *((spoken["at"], _spoken(spoken)) for spoken in attempt["spoken"]),
        (attempt["endedAt"] or attempt["dialledAt"], f"hung up{by}: {attempt['error']['description']}"),
    ]
    for at, what in sorted(happened, key=lambda one: _time(one[0])):
        show(_time(at), what)


def _spoken(spoken: dict[str, Any]) -> str:
    made = "from the cache" if spoken["cached"] else "made for this call"
    return f"spoken: {spoken['seconds']} s by {spoken['engine']}, {made}"


def _entered(entered: dict[str, Any]) -> str:
    keys = f"key {entered['keys']}" if entered["keys"] else "no key"
    groups = ", ".join(f"group {group}" for group in entered["actionGroups"])
    return f"{keys}: {groups}" if groups else keys


def _time(written: str) -> datetime:
    return datetime.fromisoformat(written)


async def _asked(session: ClientSession, method: str, path: str, **body: Any) -> dict[str, Any]:
    try:
        async with session.request(method, path, **body) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            if response.status != HTTPStatus.OK:
                raise RequestRefused(f"{method} {path}: {response.status} {answer}")
            return answer
    except ClientConnectionError as error:
        raise DaemonUnreachable(f"{method} {path}: {error}") from error

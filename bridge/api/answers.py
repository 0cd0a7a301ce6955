"""Answers that list many entries: written in pieces beside the event loop, so that no live call waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aiohttp import web
from pydantic_core import to_json

_Entry = TypeVar("_Entry")

_AT_ONCE = 100


async def list_answer(
    name: str, entries: Sequence[_Entry], members: Callable[[_Entry], dict[str, Any]], **others: str
) -> web.Response:
    """An object whose member ``name`` has the ``members`` of each entry, beside the ``others``."""

    def body() -> bytes:
        head = b"".join(b"%b:%b," % (to_json(other), to_json(value)) for other, value in others.items())
        return b"{%b%b:[%b]}" % (head, to_json(name), b",".join(_pieces(entries, members)))

    written = body() if len(entries) <= _AT_ONCE else await asyncio.to_thread(body)
    return web.Response(body=written, content_type="application/json")


def _pieces(entries: Sequence[_Entry], members: Callable[[_Entry], dict[str, Any]]) -> list[bytes]:
    return [
        to_json([members(entry) for entry in entries[first : first + _AT_ONCE]])[1:-1]
        for first in range(0, len(entries), _AT_ONCE)
    ]

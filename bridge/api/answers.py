"""Answers that list many entries: made beside the event loop and sent in pieces, so that no live call waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from aiohttp import web
from pydantic_core import to_json

from bridge.base.threads import LARGE

_Entry = TypeVar("_Entry")

_AT_ONCE = 100
_JSON = "application/json"


async def list_answer(
    request: web.Request,
    name: str,
    entries: Sequence[_Entry],
    members: Callable[[_Entry], dict[str, Any]],
    **others: str,
) -> web.StreamResponse:
    """An object whose member ``name`` has the ``members`` of each entry, behind the ``others``."""
    head = to_json({**others, name: []}).removesuffix(b"]}")
    if len(entries) <= _AT_ONCE:
        return web.Response(body=head + b"".join(_pieces(entries, members)) + b"]}", content_type=_JSON)
    pieces = [head, *await LARGE.run(lambda: list(_pieces(entries, members))), b"]}"]
    response = web.StreamResponse()
    response.content_type = _JSON
    response.content_length = sum(map(len, pieces))
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
        await asyncio.sleep(0)  # to write waits only for a client that is slow
    return response


def _pieces(entries: Sequence[_Entry], members: Callable[[_Entry], dict[str, Any]]) -> Iterator[bytes]:
    for first in range(0, len(entries), _AT_ONCE):
        piece = to_json([members(entry) for entry in entries[first : first + _AT_ONCE]])[1:-1]
        yield piece if first == 0 else b"," + piece

"""Answers: from what a handler returns to the HTTP response.

Answers that list many entries are made beside the event loop and sent in pieces, so that no live call waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from aiohttp import web
from pydantic_core import to_json

from bridge.base.threads import LARGE

_Entry = TypeVar("_Entry")
_Member = TypeVar("_Member")

_JSON = "application/json"


class Each(Sequence[_Member], Generic[_Entry, _Member]):
    """A list of what ``form`` makes of each entry, made only when it is written, ``in_one_piece`` entries at once."""

    def __init__(
        self, entries: Sequence[_Entry], form: Callable[[_Entry], _Member], *, in_one_piece: int = 100
    ) -> None:
        self._entries = entries
        self._form = form
        self._in_one_piece = in_one_piece

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> _Member: ...
    @overload
    def __getitem__(self, index: slice) -> list[_Member]: ...
    def __getitem__(self, index: int | slice) -> _Member | list[_Member]:
        if isinstance(index, slice):
            return [self._form(entry) for entry in self._entries[index]]
        return self._form(self._entries[index])

    @property
    def is_small(self) -> bool:
        """Whether it is written so quickly that no live call waits."""
        return len(self) <= self._in_one_piece

    def written(self) -> Iterator[bytes]:
        """The entries as JSON, with commas between them."""
        for first in range(0, len(self), self._in_one_piece):
            piece = to_json(self[first : first + self._in_one_piece])[1:-1]
            yield piece if first == 0 else b"," + piece


async def written(request: web.Request, answer: Any) -> web.StreamResponse:
    """The response for what a handler returned: a response of its own, or JSON whose last member may be an `Each`."""
    if isinstance(answer, web.StreamResponse):
        return answer
    if isinstance(answer, Each):
        return await _in_pieces(request, b"[", answer, b"]")
    last = next(reversed(answer), None)
    if isinstance(entries := answer.get(last), Each):
        head = to_json({**answer, last: []}).removesuffix(b"]}")
        return await _in_pieces(request, head, entries, b"]}")
    return web.json_response(answer)


async def _in_pieces(request: web.Request, head: bytes, entries: Each[Any, Any], end: bytes) -> web.StreamResponse:
    if entries.is_small:
        return web.Response(body=head + b"".join(entries.written()) + end, content_type=_JSON)
    pieces = [head, *await LARGE.run(lambda: list(entries.written())), end]
    response = web.StreamResponse()
    response.content_type = _JSON
    response.content_length = sum(map(len, pieces))
    await response.prepare(request)
    for piece in pieces if request.method != "HEAD" else ():
        await response.write(piece)
        await asyncio.sleep(0)  # others take their turn: write() waits only for a client that is slow
    return response

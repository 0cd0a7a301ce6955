"""Routes: addresses of the API, each with its handler and what the OpenAPI document says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_type_hints

from aiohttp import web
from pydantic import BaseModel

from bridge.api.http.answers import written
from bridge.api.http.errors import BadRequest, Refused, RequestTooLarge, Unauthorized
from bridge.api.http.queries import QueryMember


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address.

    ``handler`` returns what is answered with 200: its return type is the model in the OpenAPI document, its name and
    the first line of its docstring are the operation's. ``body`` is the model of the request, ``refusals`` are those of
    the handler's own. ``media_type`` is that of an answer which is no JSON, of which a range can be asked for.
    ``is_open`` needs no credentials. Without ``has_head`` there is no HEAD beside a GET.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    handler: Callable[[web.Request], Awaitable[Any]]
    body: type[BaseModel] | None = None
    query: Sequence[QueryMember] = ()
    refusals: Sequence[type[Refused]] = field(default=(), kw_only=True)
    media_type: str | None = field(default=None, kw_only=True)
    is_open: bool = field(default=False, kw_only=True)
    has_head: bool = field(default=True, kw_only=True)

    @property
    def answer(self) -> Any:
        """The type of what is answered with 200."""
        return get_type_hints(self.handler, include_extras=True)["return"]

    @property
    def every_refusal(self) -> list[type[Refused]]:
        """The handler's own refusals, behind those that every route of its kind has."""
        takes_body = self.method in ("POST", "PUT")
        usual: list[type[Refused]] = []
        if takes_body or self.query:
            usual.append(BadRequest)
        if not self.is_open:
            usual.append(Unauthorized)
        if takes_body:
            usual.append(RequestTooLarge)
        return [*usual, *self.refusals]

    @property
    def definition(self) -> web.RouteDef:
        """The route as the HTTP library takes it."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await written(request, await self.handler(request))

        options = {"allow_head": self.has_head} if self.method == "GET" else {}
        return web.RouteDef(self.method, self.path, handle, options)

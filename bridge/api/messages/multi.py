"""``POST /tts/3/multi``: several texts, each to one or more numbers."""

from __future__ import annotations

from typing import Annotated, Self

from aiohttp import web
from pydantic import Field, model_validator

from bridge.api.http.fields import RequestModel, Rules
from bridge.api.http.reading import read
from bridge.api.http.routes import Route
from bridge.api.messages.accepting import AcceptedAnswer, Taken, take_in
from bridge.api.messages.delivery import refuse_too_many
from bridge.api.messages.scripting import in_messages, played_by
from bridge.api.messages.single import SimpleMessage
from bridge.messages.expansion import expand


class MultiRequest(RequestModel):
    messages: Annotated[list[SimpleMessage], Field(min_length=1)]

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        refuse_too_many(sum(len(message.to) for message in self.messages))
        return self


async def send_multi(request: web.Request) -> AcceptedAnswer:
    """Several texts, each to one or more numbers."""
    return await take_in(request, _read)


def _read(body: bytes, rules: Rules, account: str) -> Taken:
    requested = [(message.content, message) for message in read(MultiRequest, body, rules).messages]
    played = played_by(requested, in_messages)
    return Taken(expand(requested, account=account, now=rules.now), played)


ROUTES = (Route("POST", "/tts/3/multi", send_multi, MultiRequest),)

"""``POST /tts/3/single``: one text to one or more numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

from aiohttp import web

from bridge.api.http.fields import Numbers, Rules
from bridge.api.http.reading import read
from bridge.api.http.routes import Route
from bridge.api.messages.accepting import AcceptedAnswer, Taken, take_in
from bridge.api.messages.scripting import played_by
from bridge.api.messages.utterance import Utterance
from bridge.messages.expansion import Destination, expand
from bridge.messages.message import Content


class SimpleMessage(Utterance):
    """One text to one or more numbers, now: the whole of ``single``, and one message of ``multi``."""

    to: Numbers

    send_at: ClassVar[None] = None
    validity: ClassVar[None] = None
    gap: ClassVar[None] = None

    @cached_property
    def destinations(self) -> Sequence[Destination]:
        """Whom it goes to."""
        return [Destination(number) for number in self.to]

    @property
    def content(self) -> Content:
        """What its destinations share."""
        return Content(**self.heard)


async def send_single(request: web.Request) -> AcceptedAnswer:
    """One text, normally to one number."""
    return await take_in(request, _read)


def _read(body: bytes, rules: Rules, account: str) -> Taken:
    message = read(SimpleMessage, body, rules)
    requested = [(message.content, message)]
    played = played_by(requested, lambda _index, path: path)
    return Taken(expand(requested, account=account, now=rules.now), played)


ROUTES = (Route("POST", "/tts/3/single", send_single, SimpleMessage),)

"""``request`` sends an HTTP request to the application, and may take variables from its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bridge.base.urls import url_problem
from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.commands import Command, SetTimer
from bridge.scripts.engine.awaited import Reply, Waiting
from bridge.scripts.engine.run import EVERY_VARIABLE, Run, Step
from bridge.scripts.events import Event
from bridge.scripts.language.checks import CONTROL
from bridge.scripts.language.expressions import NAME
from bridge.scripts.language.kinds import FLAG, URL, Kind, Member, one_of
from bridge.scripts.language.members import MemberReader
from bridge.scripts.language.templates import Template, fixed

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_OUR_HEADERS = {"host", "content-length", "transfer-encoding", "connection"}
_MAX_HEADERS = 20

Headers = tuple[tuple[str, Template], ...]


@dataclass(frozen=True, slots=True)
class Request(Command):
    """Send an HTTP request. The call waits for its Responded only when ``awaited``."""

    id: int
    url: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: str | None
    awaited: bool


@dataclass(frozen=True, slots=True)
class Responded(Event):
    """The answer to request ``id``: its HTTP status, None when none came, and the decoded body's members."""

    id: int
    status: int | None
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestStep(Step):
    """Sends a request. One that ``collects`` waits, and each plain member of the answer becomes a variable."""

    url: Template
    method: str
    headers: Headers
    body: Template | None
    collects: bool

    @property
    def assigns(self) -> frozenset[str]:
        return EVERY_VARIABLE if self.collects else frozenset(("requestStatus",))

    def perform(self, run: Run) -> Waiting:
        request = self._request(run)
        if request is None or run.counts[RequestStep] == limits.MAX_REQUESTS:
            run.assign("requestStatus", 0)
            return
        run.counts[RequestStep] += 1
        if not self.collects:
            run.emit(request)
            return
        answer = yield Reply(request, Responded, SetTimer("response", run.now + limits.RESPONSE_WAIT))
        status = None
        if isinstance(answer, Responded):
            status = answer.status
            for name, value in answer.members.items():
                if NAME.fullmatch(name) and isinstance(value, str | int | float):
                    run.assign(name, value)
        run.assign("requestStatus", status or 0)

    def _request(self, run: Run) -> Request | None:
        """None when its URL is no URL. In a URL that begins with fixed text, values are percent-encoded."""
        variables, number = run.variables, run.new_id()
        url = self.url.render(variables, _encoded if self.url.start else str)
        if url_problem(url):
            return None
        return Request(
            id=number,
            url=url,
            method=self.method,
            headers=tuple((name, CONTROL.sub(" ", value.render(variables))) for name, value in self.headers),
            body=None if self.body is None else self.body.render(variables),
            awaited=self.collects,
        )


def _encoded(value: str) -> str:
    return quote(value, safe="")


def _read_headers(options: MemberReader, name: str) -> Headers:
    headers = options.members(name)
    if len(headers.value) > _MAX_HEADERS:
        options.refuse(name, f"has more than {_MAX_HEADERS} headers")
        return ()
    return tuple(
        (header, value)
        for header in headers.value
        if _can_be_set(headers, header) and (value := headers.template(header)) is not None
    )


def _can_be_set(headers: MemberReader, name: str) -> bool:
    allowed = bool(_HEADER.fullmatch(name)) and name.lower() not in _OUR_HEADERS
    if not allowed:
        headers.refuse(name, "is not a header that can be set")
    return allowed


def _read_body(options: MemberReader, name: str) -> Template | None:
    """A body that is JSON goes out as JSON."""
    if isinstance(body := options.value.get(name), dict | list):
        options = MemberReader({name: json.dumps(body)}, options.path, options.problems)
    return options.template(name, limits.MAX_VALUE)


_HEADERS: Kind[Headers] = Kind(f"object, at most {_MAX_HEADERS} headers", _read_headers)
_BODY: Kind[Template] = Kind(f"text or JSON, at most {limits.MAX_VALUE:,} characters", _read_body)

_TO = Member("request", URL, None, is_required=True)
_METHOD = Member("options.method", one_of(("GET", "POST", "PUT", "DELETE", "PATCH")), "GET")
_WITH_HEADERS = Member("options.headers", _HEADERS, ())
_WITH_BODY = Member("options.body", _BODY, None)
_COLLECTS = Member(
    "options.collectResponse",
    FLAG,
    False,
    f"the call waits, at most {limits.RESPONSE_WAIT:g} s, and each plain member of the answer becomes a variable",
)


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    script.add(
        RequestStep(
            url=_TO.read(verb) or fixed(""),
            method=_METHOD.read(verb),
            headers=_WITH_HEADERS.read(verb),
            body=_WITH_BODY.read(verb),
            collects=_COLLECTS.read(verb),
        )
    )


VERB = Verb(
    "request",
    "tells your application; the call goes on at once. `requestStatus` is the HTTP status, 0 without an answer; of an "
    "answer that breaks off, its status and the members of as much as came. A failing request never ends a call",
    (_TO, _METHOD, _WITH_HEADERS, _WITH_BODY, _COLLECTS),
    _read,
)

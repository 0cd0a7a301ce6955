"""The base URL of the API, as the client of a request sees it."""

from __future__ import annotations

import re

from aiohttp import web
from yarl import URL

from bridge.api.http.services import SERVICES

_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")


def own_address(request: web.Request) -> str:
    """The base URL for links in an answer, without a slash at its end: ``https://voice.example/calls``.

    It is that of the settings, else the one that the request came to. A false Host header affects only its own answer.
    """
    if public_url := request.app[SERVICES].public_url:
        return public_url
    # TLS ends before the daemon, if there is any; only the settings know.
    host = request.headers.get("Host", "")
    return f"http://{host}" if _HOST.fullmatch(host) else _socket(request)


def _socket(request: web.Request) -> str:
    """For a client that names no host (HTTP/1.0), or none that could stand in a URL."""
    own = request.get_extra_info("sockname")
    if own is None:
        return ""  # the client has gone
    host, port, *_ = own
    return str(URL.build(scheme="http", host=host, port=port))

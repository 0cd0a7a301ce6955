"""URLs that callers name: what is accepted as one, in requests and in scripts. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit


def url_problem(url: str, *, is_whole: bool = True) -> str | None:
    """What is wrong with an http or https URL (RFC 3986), or with its beginning when it is not whole; None if nothing.

    Nothing is looked up: whether the host exists, and may be asked, is found out when it is.
    """
    if not url.lower().startswith(("http://", "https://")):
        return "must be an http or https URL"
    if not url.isprintable() or " " in url:
        return "must not contain spaces or control characters"
    if not is_whole:
        return None
    try:
        parts = urlsplit(url)
        names_a_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        names_a_host = False
    return None if names_a_host else "must name a host"

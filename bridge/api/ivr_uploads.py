"""``/voice/ivr/1/uploads``: audio files for scripts are left and listed (wire contract, section 5.4)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import BadHttpMessage

from bridge.api import queries
from bridge.api.errors import BadRequest
from bridge.api.services import ACCOUNT, SERVICES
from bridge.messages.upload import Upload
from bridge.reports.members import wire_time
from bridge.speech.errors import AudioUnsupported

_USUAL_PAGE, _LARGEST_PAGE = 20, 100
_LONGEST_NAME = 200

_BROKEN_FORM = (ValueError, LookupError, RuntimeError, BadHttpMessage)
"""What the HTTP library raises over boundaries, charsets, encodings and headers that make no sense."""


async def upload_file(request: web.Request) -> web.Response:
    """Keep the WAV or MP3 file in the part ``file`` of a form (RFC 7578)."""
    name, data = await _file(request)
    services = request.app[SERVICES]
    try:
        kept = await services.speech.keep_upload(data)
    except AudioUnsupported as error:
        raise _refused(str(error)) from error
    now = services.rules().now
    upload = Upload(kept.id, name, kept.format, len(data), kept.seconds, created_at=now, used_at=now)
    await services.store.uploads.add(request[ACCOUNT], upload)
    return web.json_response(_members(upload))


async def get_uploads(request: web.Request) -> web.Response:
    """A page of uploads, the newest first; pages are counted from 0."""
    page = queries.number(request, "page", 0, lowest=0)
    size = queries.number(request, "size", _USUAL_PAGE, highest=_LARGEST_PAGE)
    store, account = request.app[SERVICES].store, request[ACCOUNT]
    count = await store.uploads.count(account)
    uploads = await store.uploads.page(account, limit=size, offset=page * size)
    return web.json_response(
        {
            "results": [_members(upload) for upload in uploads],
            "paging": {
                "page": page,
                "size": size,
                "totalPages": math.ceil(count / size),
                "totalResults": count,
            },
        }
    )


async def unknown_uploads(request: web.Request, named: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """What is wrong with the members that name uploads which there are not.

    ``named`` are the paths of the members that name an upload, by its id. It is kept for another 90 days.
    """
    if not named:
        return {}
    services = request.app[SERVICES]
    known = await services.store.uploads.use(request[ACCOUNT], set(named), services.rules().now)
    return {path: ["there is no such upload"] for each in named.keys() - known for path in named[each]}


async def _file(request: web.Request) -> tuple[str, bytes]:
    if request.content_type != "multipart/form-data":
        raise BadRequest(f"the content type {request.content_type} is not known; send multipart/form-data")
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "file" and part.filename:
                return _printable(part.filename), await _read(part, request.client_max_size)
    except _BROKEN_FORM as error:
        raise BadRequest("the form cannot be read") from error
    raise _refused("is required: a part with a file name")


async def _read(part: BodyPartReader, most_bytes: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > most_bytes:
            raise web.HTTPRequestEntityTooLarge(most_bytes, len(data))
    return bytes(data)


def _printable(name: str) -> str:
    return "".join(character for character in name if character.isprintable())[-_LONGEST_NAME:]


def _refused(text: str) -> BadRequest:
    return BadRequest("the request breaks a rule; see validationErrors", {"file": [text]})


def _members(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "name": upload.name,
        "fileFormat": upload.format.upper(),
        "size": upload.size,
        "creationTime": wire_time(upload.created_at),
        "expirationTime": wire_time(upload.expires_at),
        "duration": math.ceil(upload.seconds),
    }

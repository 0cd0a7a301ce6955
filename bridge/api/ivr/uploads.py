"""``/voice/ivr/1/uploads``: audio files for scripts are left and listed."""

from __future__ import annotations

import math

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import BadHttpMessage
from typing_extensions import TypedDict

from bridge.api.http import queries
from bridge.api.http.errors import BadRequest
from bridge.api.http.routes import Route
from bridge.api.http.services import ACCOUNT, SERVICES
from bridge.messages.upload import Upload
from bridge.reports.members import WireTime, wire_time
from bridge.speech.errors import AudioUnsupported

_PAGE = queries.WholeNumber("page", 0, lowest=0)
_SIZE = queries.WholeNumber("size", 20, highest=100)
_LONGEST_NAME = 200

_BROKEN_FORM = (ValueError, LookupError, RuntimeError, BadHttpMessage)
"""What the HTTP library raises over boundaries, charsets, encodings and headers that make no sense."""


class UploadAnswer(TypedDict):
    """An upload: its size in bytes, its length in begun seconds, and when it is dropped unless it is used before."""

    id: str
    name: str
    fileFormat: str
    size: int
    creationTime: WireTime
    expirationTime: WireTime
    duration: int


class PagingMembers(TypedDict):
    """Which page this is, counted from 0, and how many there are."""

    page: int
    size: int
    totalPages: int
    totalResults: int


class UploadsAnswer(TypedDict):
    """A page of uploads, the newest first."""

    results: list[UploadAnswer]
    paging: PagingMembers


async def upload_file(request: web.Request) -> UploadAnswer:
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
    return _answer(upload)


async def get_uploads(request: web.Request) -> UploadsAnswer:
    """A page of uploads, the newest first; pages are counted from 0."""
    page, size = _PAGE.of(request), _SIZE.of(request)
    store, account = request.app[SERVICES].store, request[ACCOUNT]
    count = await store.uploads.count(account)
    uploads = await store.uploads.page(account, limit=size, offset=page * size)
    return {
        "results": [_answer(upload) for upload in uploads],
        "paging": {"page": page, "size": size, "totalPages": math.ceil(count / size), "totalResults": count},
    }


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


def _answer(upload: Upload) -> UploadAnswer:
    return {
        "id": upload.id,
        "name": upload.name,
        "fileFormat": upload.format.upper(),
        "size": upload.size,
        "creationTime": wire_time(upload.created_at),
        "expirationTime": wire_time(upload.expires_at),
        "duration": math.ceil(upload.seconds),
    }


ROUTES = (
    Route("POST", "/voice/ivr/1/uploads", upload_file),
    Route("GET", "/voice/ivr/1/uploads", get_uploads, query=[_PAGE, _SIZE]),
)

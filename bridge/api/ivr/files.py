"""``/voice/ivr/1/files``: recordings are listed and fetched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from aiohttp import web
from typing_extensions import TypedDict

from bridge.api.http import queries
from bridge.api.http.answers import Each
from bridge.api.http.own_address import own_address
from bridge.api.http.routes import Route
from bridge.api.http.services import ACCOUNT, SERVICES
from bridge.api.recordings import NO_AUDIO, recorded_audio, wanted_number
from bridge.reports.members import WireTime, recording_url, wire_time
from bridge.store import RecordedFile

_PAGE = queries.WholeNumber("page", 1)
_PAGE_SIZE = queries.WholeNumber("pageSize", 50, highest=1000)
_MESSAGE_ID = queries.Optional("messageId", str)
_NUMBER = queries.Optional("number", wanted_number)

FileMembers = TypedDict(
    "FileMembers",
    {
        "id": str,
        "messageId": str,
        "from": str | None,
        "to": str,
        "scenarioId": str | None,
        "groupId": str | None,
        "url": str | None,
        "recordedAt": WireTime,
    },
)
"""A recording that can be heard; ``groupId`` is the JSON pointer of the action that made it."""


class FilesAnswer(TypedDict):
    """Recordings that can be heard, the newest first."""

    files: Sequence[FileMembers]


async def get_files(request: web.Request) -> FilesAnswer:
    """A page of recordings that can be heard, the newest first."""
    page, size = _PAGE.of(request), _PAGE_SIZE.of(request)
    files = await request.app[SERVICES].store.recordings.files(
        request[ACCOUNT],
        message_id=_MESSAGE_ID.of(request),
        number=_NUMBER.of(request),
        limit=size,
        offset=(page - 1) * size,
    )
    return {"files": Each(files, partial(_members, at=own_address(request)))}


async def get_file(request: web.Request) -> web.StreamResponse:
    """One recording: WAV, PCM of 16 bits at 8 kHz."""
    recording = await request.app[SERVICES].store.recordings.find(request[ACCOUNT], request.match_info["id"])
    return await recorded_audio(request, recording, "application/octet-stream")


def _members(file: RecordedFile, at: str) -> FileMembers:
    recording, message = file.recording, file.message
    launch = message.content.launch
    return {
        "id": recording.id,
        "messageId": message.id,
        "from": message.sender,
        "to": message.to,
        "scenarioId": None if launch is None else launch.scenario_id,
        "groupId": recording.pointer,
        "url": recording_url(recording, at),
        "recordedAt": wire_time(recording.recorded_at),
    }


ROUTES = (
    Route("GET", "/voice/ivr/1/files", get_files, query=[_PAGE, _PAGE_SIZE, _MESSAGE_ID, _NUMBER]),
    Route("GET", "/voice/ivr/1/files/{id}", get_file, refusals=NO_AUDIO, media_type="application/octet-stream"),
)

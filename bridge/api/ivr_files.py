"""``/voice/ivr/1/files``: recordings are listed and fetched (wire contract, section 5.4)."""

from __future__ import annotations

from functools import partial
from typing import Any

from aiohttp import web

from bridge.api import queries
from bridge.api.answers import list_answer
from bridge.api.own_address import own_address
from bridge.api.recordings import recorded_audio, wanted_number
from bridge.api.services import ACCOUNT, SERVICES
from bridge.reports.members import recording_url, wire_time
from bridge.store import RecordedFile

_USUAL_PAGE, _LARGEST_PAGE = 50, 1000


async def get_files(request: web.Request) -> web.StreamResponse:
    """A page of recordings that can be heard, the newest first."""
    page = queries.number(request, "page", 1)
    size = queries.number(request, "pageSize", _USUAL_PAGE, highest=_LARGEST_PAGE)
    files = await request.app[SERVICES].store.recordings.files(
        request[ACCOUNT],
        message_id=request.query.get("messageId") or None,
        number=queries.optional(request, "number", wanted_number),
        limit=size,
        offset=(page - 1) * size,
    )
    return await list_answer(request, "files", files, partial(_members, at=own_address(request)))


async def get_file(request: web.Request) -> web.StreamResponse:
    """One recording: WAV, PCM of 16 bits at 8 kHz."""
    recording = await request.app[SERVICES].store.recordings.find(request[ACCOUNT], request.match_info["id"])
    return await recorded_audio(request, recording, "application/octet-stream")


def _members(file: RecordedFile, at: str) -> dict[str, Any]:
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

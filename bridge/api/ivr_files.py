"""``/voice/ivr/1/files``: recordings are listed and fetched (wire contract, section 5.4)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bridge.api import queries
from bridge.api.own_address import own_address
from bridge.api.recordings import recorded_audio
from bridge.api.services import ACCOUNT, SERVICES
from bridge.messages.numbers import parse_number
from bridge.reports.members import recording_url, wire_time
from bridge.store import RecordedFile

_USUAL_PAGE, _LARGEST_PAGE = 50, 1000


async def get_files(request: web.Request) -> web.Response:
    """A page of recordings that can be heard, the newest first."""
    page = queries.number(request, "page", 1)
    size = queries.number(request, "pageSize", _USUAL_PAGE, highest=_LARGEST_PAGE)
    files = await request.app[SERVICES].store.recorded_files(
        request[ACCOUNT],
        message_id=request.query.get("messageId") or None,
        number=_number(request.query.get("number") or None),
        limit=size,
        offset=(page - 1) * size,
    )
    at = own_address(request)
    return web.json_response({"files": [_members(file, at) for file in files]})


async def get_file(request: web.Request) -> web.StreamResponse:
    """One recording: WAV, PCM of 16 bits at 8 kHz."""
    recording = await request.app[SERVICES].store.recording(request[ACCOUNT], request.match_info["id"])
    return await recorded_audio(request, recording, "application/octet-stream")


def _number(text: str | None) -> str | None:
    """As digits; what is no number is nobody's."""
    try:
        return None if text is None else parse_number(text)
    except ValueError:
        return text


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

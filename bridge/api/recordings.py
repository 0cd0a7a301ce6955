"""``GET /tts/3/files/{messageId}/{to}``: the recording of a call."""

from __future__ import annotations

from aiohttp import web

from bridge.api.http.errors import CallNotFinished, NotFound, RecordingElsewhere
from bridge.api.http.routes import Route
from bridge.api.http.services import ACCOUNT, SERVICES
from bridge.base.objects import ObjectNotThere, ObjectStorageFailed
from bridge.messages.recording import Recording, RecordingState
from bridge.recordings.files import RecordingFiles
from bridge.telephony.numbers import parse_number

NO_AUDIO = (NotFound, CallNotFinished, RecordingElsewhere)
"""Why a recording cannot be heard."""


async def get_call_recording(request: web.Request) -> web.StreamResponse:
    """The recording of a message's last call, as WAV."""
    message_id, to = request.match_info["messageId"], request.match_info["to"]
    recording = await request.app[SERVICES].store.recordings.of_call(request[ACCOUNT], message_id, wanted_number(to))
    return await recorded_audio(request, recording, "audio/wav")


def wanted_number(text: str) -> str:
    """A number as digits; a text that is no number stays as it is, and matches no call."""
    try:
        return parse_number(text)
    except ValueError:
        return text


async def recorded_audio(request: web.Request, recording: Recording | None, content_type: str) -> web.StreamResponse:
    """The audio of a recording, or a range of it (RFC 9110, section 14), from wherever it is.

    Raises NotFound, CallNotFinished, RecordingElsewhere, ObjectStorageFailed.
    """
    if recording is None:
        raise NotFound("there is no such recording")
    if recording.state is RecordingState.RECORDING:
        raise CallNotFinished("the call is not over, nor is its recording")
    if not recording.has_file:
        raise NotFound(f"the recording is {recording.state}")
    files = request.app[SERVICES].recordings
    if files.path(recording).is_file():
        return web.FileResponse(files.path(recording), headers={"Content-Type": content_type})
    if recording.node is None:
        return await _stored(request, files, recording, content_type)
    if files.is_elsewhere(recording):
        raise RecordingElsewhere(f"the recording is at the node {recording.node}; ask there, or later")
    raise NotFound(f"the recording is {RecordingState.LOST}")


async def _stored(
    request: web.Request, files: RecordingFiles, recording: Recording, content_type: str
) -> web.StreamResponse:
    assert recording.size is not None
    whole = range(recording.size)
    try:
        part = whole[request.http_range]
    except ValueError:
        part = range(0)
    headers = {"Content-Type": content_type, "Accept-Ranges": "bytes"}
    if not part:
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{len(whole)}"})
    if part != whole:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(whole)}"
    response = web.StreamResponse(status=200 if part == whole else 206, headers=headers)
    response.content_length = len(part)
    if request.method == "HEAD":
        return response
    try:
        async with files.stored(recording, part) as chunks:
            await response.prepare(request)
            async for chunk in chunks:
                await response.write(chunk)
    except ObjectNotThere:
        raise NotFound(f"the recording is {RecordingState.LOST}") from None
    except ObjectStorageFailed:
        if not response.prepared:
            raise
        # The headers are sent: only a broken connection can still tell the client that this is not all of it.
        if request.transport is not None:
            request.transport.abort()
    return response


ROUTES = (Route("GET", "/tts/3/files/{messageId}/{to}", get_call_recording, refusals=NO_AUDIO, media_type="audio/wav"),)

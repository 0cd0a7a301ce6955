"""``GET /tts/3/files/{messageId}/{to}``: the recording of a call (wire contract, section 3.1)."""

from __future__ import annotations

from aiohttp import web

from bridge.api.errors import CallNotFinished, NotFound
from bridge.api.services import ACCOUNT, SERVICES
from bridge.messages.recording import Recording, RecordingState


async def get_call_recording(request: web.Request) -> web.StreamResponse:
    """The recording of a message's last call, as WAV."""
    message_id, to = request.match_info["messageId"], request.match_info["to"]
    recording = await request.app[SERVICES].store.call_recording(request[ACCOUNT], message_id, to)
    return recorded_audio(request, recording, "audio/wav")


def recorded_audio(request: web.Request, recording: Recording | None, content_type: str) -> web.StreamResponse:
    """The audio of a recording, or a range of it (RFC 9110, section 14). Raises NotFound, CallNotFinished."""
    if recording is None:
        raise NotFound("there is no such recording")
    if recording.state is RecordingState.RECORDING:
        raise CallNotFinished("the call is not over, nor is its recording")
    path = request.app[SERVICES].recordings.path(recording)
    if not recording.has_file or not path.is_file():
        state = RecordingState.LOST if recording.has_file else recording.state
        raise NotFound(f"the recording is {state}")
    return web.FileResponse(path, headers={"Content-Type": content_type})

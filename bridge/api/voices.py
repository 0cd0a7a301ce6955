"""``GET /tts/3/voices/{language}``: the voices that can be named."""

from __future__ import annotations

from aiohttp import web
from typing_extensions import TypedDict

from bridge.api.http import queries
from bridge.api.http.errors import NotFound
from bridge.api.http.routes import Route
from bridge.api.http.services import SERVICES
from bridge.speech.voices import ListedVoice

_NEURAL_TOO = queries.Optional("includeNeural", queries.truth, queries.TRUTH)


class VoiceMembers(TypedDict):
    """A voice that can be named in a request; ``supplier`` is the engine that speaks."""

    name: str
    gender: str
    supplier: str
    ssmlSupported: bool
    isDefault: bool
    isNeural: bool


class VoicesAnswer(TypedDict):
    """The voices of a language."""

    voices: list[VoiceMembers]


async def get_voices(request: web.Request) -> VoicesAnswer:
    """The voices of a language."""
    language, speech = request.match_info["language"], request.app[SERVICES].speech
    neural_too = _NEURAL_TOO.of(request) or False
    voices = speech.listed_voices(language)
    if not voices:
        raise NotFound(f"nothing is spoken in {language}; there are {', '.join(speech.languages())}")
    return {"voices": [_members(voice) for voice in voices if neural_too or not voice.is_neural]}


def _members(voice: ListedVoice) -> VoiceMembers:
    return {
        "name": voice.name,
        "gender": voice.gender,
        "supplier": voice.supplier,
        "ssmlSupported": voice.ssml_supported,
        "isDefault": voice.is_default,
        "isNeural": voice.is_neural,
    }


ROUTES = (Route("GET", "/tts/3/voices/{language}", get_voices, query=[_NEURAL_TOO], refusals=[NotFound]),)

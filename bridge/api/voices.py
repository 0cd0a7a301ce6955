"""``GET /tts/3/voices/{language}``: the voices that can be named (wire contract, section 5.3)."""

from __future__ import annotations

from aiohttp import web

from bridge.api.http import queries
from bridge.api.http.errors import NotFound
from bridge.api.http.services import SERVICES


async def get_voices(request: web.Request) -> web.Response:
    """The voices of a language."""
    language, speech = request.match_info["language"], request.app[SERVICES].speech
    neural_too = queries.optional(request, "includeNeural", queries.truth) or False
    voices = speech.listed_voices(language)
    if not voices:
        raise NotFound(f"nothing is spoken in {language}; there are {', '.join(speech.languages())}")
    return web.json_response(
        {
            "voices": [
                {
                    "name": voice.name,
                    "gender": voice.gender,
                    "supplier": voice.supplier,
                    "ssmlSupported": voice.ssml_supported,
                    "isDefault": voice.is_default,
                    "isNeural": voice.is_neural,
                }
                for voice in voices
                if neural_too or not voice.is_neural
            ]
        }
    )

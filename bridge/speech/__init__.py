"""The speech room: text to audio files in the trunks' own codecs."""

from bridge.speech.engine import Engine, Voice
from bridge.speech.engines import build_engines
from bridge.speech.errors import (
    EngineUnavailableError,
    LanguageUnsupportedError,
    NothingToSayError,
    SpeechError,
    SpeechNotStoredError,
    VoiceUnknownError,
)
from bridge.speech.languages import language_code
from bridge.speech.phrase import Phrase, Prompt
from bridge.speech.speech import Speech

__all__ = [
    "Engine",
    "EngineUnavailableError",
    "LanguageUnsupportedError",
    "NothingToSayError",
    "Phrase",
    "Prompt",
    "Speech",
    "SpeechError",
    "SpeechNotStoredError",
    "Voice",
    "VoiceUnknownError",
    "build_engines",
    "language_code",
]

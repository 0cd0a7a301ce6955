"""The speech room: text to audio files in the trunks' own codecs."""

from bridge.speech.audio_files.uploads import Upload
from bridge.speech.engine import Engine, Voice
from bridge.speech.engine_registry import build_engines
from bridge.speech.errors import (
    AudioNotDownloaded,
    AudioUnsupported,
    EngineUnavailableError,
    LanguageUnsupportedError,
    NothingToSayError,
    SpeechError,
    SpeechNotStoredError,
    TextUnspeakableError,
    UploadUnknown,
    VoiceUnknownError,
)
from bridge.speech.phrase import Phrase, Prompt
from bridge.speech.speech import Speech
from bridge.speech.text.languages import language_code
from bridge.speech.voices import ListedVoice

__all__ = [
    "AudioNotDownloaded",
    "AudioUnsupported",
    "Engine",
    "EngineUnavailableError",
    "LanguageUnsupportedError",
    "ListedVoice",
    "NothingToSayError",
    "Phrase",
    "Prompt",
    "Speech",
    "SpeechError",
    "SpeechNotStoredError",
    "TextUnspeakableError",
    "Upload",
    "UploadUnknown",
    "Voice",
    "VoiceUnknownError",
    "build_engines",
    "language_code",
]

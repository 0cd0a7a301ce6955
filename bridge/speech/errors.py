"""Errors of speech: what can go wrong between a text or an audio file and its prompt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bridge.base.errors import VoicebridgeError


class SpeechError(VoicebridgeError):
    """A phrase could not be made into a prompt: every engine in line failed or was passed over."""

    id = "SPEECH_FAILED"


class LanguageUnsupportedError(SpeechError):
    """No configured engine speaks the language (for a sensitive phrase: no local engine)."""

    id = "LANGUAGE_UNSUPPORTED"
    quotes_callers = True


class VoiceUnknownError(SpeechError):
    """No configured engine has a voice of that name for the language."""

    id = "VOICE_UNKNOWN"
    quotes_callers = True


class NothingToSayError(SpeechError):
    """The text has no word, digit or symbol that could be heard."""

    id = "NOTHING_TO_SAY"


class TextUnspeakableError(SpeechError):
    """No voice that may speak the text has a sound for a part of it."""

    id = "TEXT_UNSPEAKABLE"
    quotes_callers = True


class EngineFailedError(SpeechError):
    """One engine did not speak one fragment; the next engine in line is asked."""

    id = "ENGINE_FAILED"


class EngineUnavailableError(EngineFailedError):
    """A configured engine is unknown or lacks what it needs on this machine."""

    id = "ENGINE_UNAVAILABLE"


class SpeechNotStoredError(SpeechError):
    """The files could not be written: the disk is full or the cache folder is not writable."""

    id = "SPEECH_NOT_STORED"


@contextmanager
def storing() -> Iterator[None]:
    """Goes around the writing of files: an OSError in it becomes SpeechNotStoredError."""
    try:
        yield
    except OSError as error:
        raise SpeechNotStoredError(f"speech cannot be stored: {error.strerror}") from error


class AudioNotDownloaded(SpeechError):
    """The audio file cannot be had: no answer, not status 200, larger than 4 MB, or at an address we do not go to."""

    id = "AUDIO_NOT_DOWNLOADED"


class AudioUnsupported(SpeechError):
    """The file is no audio, in none of the formats we read, broken from the start, silent, or over 30 minutes long."""

    id = "AUDIO_UNSUPPORTED"


class UploadUnknown(SpeechError):
    """There is no upload with that id."""

    id = "UPLOAD_UNKNOWN"

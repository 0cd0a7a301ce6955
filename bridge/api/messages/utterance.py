"""The members that say what is heard and who calls, which every way of sending has."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import Field, StrictBool, model_validator

from bridge.api.http.fields import (
    DEFAULT_LANGUAGE,
    Language,
    Rate,
    RequestModel,
    Sender,
    Text,
    Url,
    VoiceChoice,
    VoiceField,
    members_at_fault,
)


class Utterance(RequestModel):
    """A text or an audio file, and the voice that speaks."""

    sender: Sender = Field(default=None, alias="from")
    text: Text | None = None
    audio_file_url: Url | None = None
    language: Language = DEFAULT_LANGUAGE
    voice: VoiceField = VoiceChoice()
    speech_rate: Rate = 1.0
    sensitive: StrictBool = False

    must_be_heard: ClassVar[bool] = True

    @model_validator(mode="after")
    def _text_or_audio(self) -> Self:
        if self.text is not None and self.audio_file_url is not None:
            raise members_at_fault("text and audioFileUrl exclude each other", "text", "audioFileUrl")
        if self.text is None and self.audio_file_url is None and self.must_be_heard:
            raise members_at_fault("one of text and audioFileUrl is required", "text", "audioFileUrl")
        return self

    @property
    def heard(self) -> dict[str, Any]:
        """What it means to `Content`."""
        return {
            "text": self.text,
            "audio_url": self.audio_file_url,
            "language": self.language,
            "voice": self.voice.name,
            "gender": self.voice.gender,
            "speech_rate": self.speech_rate,
            "sensitive": self.sensitive,
        }

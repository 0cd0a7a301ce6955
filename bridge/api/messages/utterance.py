"""What may be sent to ``/tts/3/single`` and ``/tts/3/multi`` (wire contract, sections 1.1 and 1.2)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, StrictBool, model_validator

from bridge.api.http.fields import (
    DEFAULT_LANGUAGE,
    Language,
    Members,
    Numbers,
    Rate,
    Sender,
    Text,
    Url,
    Voice,
    VoiceMember,
    members_at_fault,
)

MOST_DESTINATIONS_OF_ALL = 100_000
"""Destinations of all messages of a request."""


class Utterance(Members):
    """What is to be heard, and who calls: the members that every way of sending has."""

    sender: Sender = Field(default=None, alias="from")
    text: Text | None = None
    audio_file_url: Url | None = None
    language: Language = DEFAULT_LANGUAGE
    voice: VoiceMember = Voice()
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


class SimpleMessage(Utterance):
    """One text to one or more numbers: the whole of ``single``, and one message of ``multi``."""

    to: Numbers


class MultiRequest(Members):
    messages: Annotated[list[SimpleMessage], Field(min_length=1)]

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        refuse_too_many(sum(len(message.to) for message in self.messages))
        return self


def refuse_too_many(destinations: int) -> None:
    """Raises when a request has more destinations than one may have."""
    if destinations > MOST_DESTINATIONS_OF_ALL:
        raise members_at_fault(
            f"a request may have {MOST_DESTINATIONS_OF_ALL} destinations, has {destinations}", "messages"
        )

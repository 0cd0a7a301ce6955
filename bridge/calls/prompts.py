"""Prompts of one call: the sound files that are played on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from bridge.messages.statuses import ERROR_DOWNLOADING_FILE, ERROR_UNSUPPORTED_AUDIO_FORMAT, INTERNAL_SERVER_ERROR
from bridge.scripts import commands
from bridge.speech.errors import AudioNotDownloaded, AudioUnsupported, SpeechError, UploadUnknown
from bridge.speech.phrase import Phrase, Prompt
from bridge.speech.sound.tones import BEEP, text_telephone
from bridge.speech.speech import Speech

SILENCE_SECONDS = 30.0

_log = structlog.get_logger(__name__)


class Prompts:
    """The prompts of one call: those known before it are made before the number is dialled, others when needed.

    Audio files are fetched once for all calls with the same ``fetched_for``. ``recording`` finds the file of something
    that was recorded on this call.
    """

    def __init__(
        self,
        speech: Speech,
        *,
        sensitive: bool,
        fetched_for: str,
        recording: Callable[[commands.RecordedAudio], Path | None],
    ) -> None:
        self._speech = speech
        self._sensitive = sensitive
        self._fetched_for = fetched_for
        self._recording = recording
        self._made: dict[commands.Prompt, Prompt] = {}
        self._private: list[Prompt] = []

    async def silence(self) -> Prompt:
        """What is played while the call listens. Raises SpeechError."""
        return await self._speech.silence(SILENCE_SECONDS)

    async def prepare(self, wanted: Iterable[commands.Prompt]) -> None:
        """Make prompts before the call. Raises SpeechError when one cannot be made."""
        made = await asyncio.gather(*(self._keep(prompt) for prompt in wanted), return_exceptions=True)
        for failure in made:
            if failure is not None:
                raise failure

    def made(self, wanted: commands.Prompt) -> Prompt | None:
        """The prompt, if it is made already."""
        return self._made.get(wanted)

    async def make(self, wanted: commands.Prompt) -> Prompt | None:
        """A prompt that was not known before the call; None when it cannot be made."""
        try:
            if isinstance(wanted, commands.RecordedAudio):
                return await self._played_back(wanted)
            await self._keep(wanted)
        except SpeechError as error:
            _log.warning("not_made_for_the_call", prompt=type(wanted).__name__, reason=error)
            return None
        return self._made[wanted]

    async def beep(self) -> Prompt | None:
        """The tone before a recording, and before the end of a transfer."""
        try:
            return await self._speech.prepare_sound(BEEP)
        except SpeechError as error:
            _log.warning("not_made_for_the_call", prompt="beep", reason=error)
            return None

    async def release(self) -> None:
        """The call is over: what was made for it alone is removed."""
        await self._speech.release(*self._private)

    async def _keep(self, wanted: commands.Prompt) -> None:
        self._made[wanted] = await self._new(wanted)

    async def _new(self, wanted: commands.Prompt) -> Prompt:
        match wanted:
            case commands.Say(text, language, voice, gender, rate):
                phrase = Phrase(text, language, voice, gender, rate, self._sensitive)
                return self._noted(await self._speech.prepare(phrase))
            case commands.Audio(url):
                return await self._speech.prepare_audio(url, fetched_for=self._fetched_for)
            case commands.UploadedAudio(id):
                return await self._speech.upload(id)
            case commands.Silence(seconds):
                return await self._speech.silence(seconds)
            case commands.Tty(text):
                sound = text_telephone(text)
                return self._noted(await self._speech.prepare_sound(sound, private=self._sensitive))
            case commands.RecordedAudio():
                raise AssertionError("what is recorded on the call is never known before it")

    async def _played_back(self, wanted: commands.RecordedAudio) -> Prompt | None:
        """Made anew each time: the same reference may mean another recording by then."""
        path = self._recording(wanted)
        if path is None:
            _log.info("nothing_recorded_to_play")
            return None
        prompt = await self._speech.prepare_file(path)
        self._private.append(prompt)
        return prompt

    def _noted(self, prompt: Prompt) -> Prompt:
        """Note a prompt of a sensitive message as private: it is removed after the call."""
        if self._sensitive:
            self._private.append(prompt)
        return prompt


def error_of(failure: SpeechError) -> int:
    """The error of a message that cannot be spoken (``docs/reference/errors.md``)."""
    match failure:
        case AudioNotDownloaded() | UploadUnknown():
            return ERROR_DOWNLOADING_FILE
        case AudioUnsupported():
            return ERROR_UNSUPPORTED_AUDIO_FORMAT
        case _:
            return INTERNAL_SERVER_ERROR

"""Everything a script may play, made into files before the number is dialled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from bridge.scripts import commands
from bridge.speech import Phrase, Prompt, Speech


async def prepare(
    prompts: Iterable[commands.Prompt], speech: Speech, *, sensitive: bool
) -> Mapping[commands.Prompt, Prompt]:
    """The files of each prompt. Raises SpeechError when one cannot be made."""
    wanted = list(prompts)
    made = await asyncio.gather(*(_prepare(prompt, speech, sensitive) for prompt in wanted))
    return dict(zip(wanted, made, strict=True))


async def _prepare(prompt: commands.Prompt, speech: Speech, sensitive: bool) -> Prompt:
    match prompt:
        case commands.Say(text, language, voice, gender, rate):
            return await speech.prepare(Phrase(text, language, voice, gender, rate, sensitive))
        case _:
            raise NotImplementedError(type(prompt).__name__)

"""Which characters of a text a voice of espeak-ng passes over: the library itself is asked, once for each."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from bridge.speech.engines.espeak_ng.phonemes import EXAMPLES, Placeholders
from bridge.speech.text import carries_meaning

AskPhonemes = Callable[[str, Sequence[str]], Awaitable[list[str]]]
"""The phonemes that a voice makes of each of some tokens."""

MOST_KNOWN = 50_000
"""Characters that are remembered, and phonemes; some 5 MB each."""

AT_ONCE = 100
"""Silent characters looked at together: a text of nothing else must not hold up the others."""

BESIDE = 1
"""Characters on either side that a voice needs to read a letter as in its word."""

_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")


class Coverage:
    """Finds the characters that a voice passes over, and remembers those that it speaks.

    Each new character is asked for by itself: nearly always none in a text is new. One that is silent by itself may
    shape the word it is in (``ー``, ``ь``), so it is asked for again together with those beside it.
    """

    def __init__(self, ask: AskPhonemes) -> None:
        self._ask = ask
        self._placeholders: dict[str, Placeholders] = {}
        self._heard: dict[str, set[str]] = defaultdict(set)
        self._asking: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._phonemes: dict[tuple[str, str], str] = {}

    async def unheard(self, texts: Sequence[str], voice: str) -> list[str]:
        """Characters that the voice has no sound for, each once, in order: all, or the first of many.

        Raises what ``ask`` raises.
        """
        if not self._new(texts, voice):
            return []
        async with self._asking[voice]:  # what several texts need is asked for once
            return await self._asked(texts, voice)

    def _new(self, texts: Sequence[str], voice: str) -> list[str]:
        """The characters that are not known to be heard."""
        heard = self._heard[voice]
        return [letter for letter in dict.fromkeys("".join(texts)) if letter not in heard and carries_meaning(letter)]

    async def _asked(self, texts: Sequence[str], voice: str) -> list[str]:
        new = self._new(texts, voice)
        placeholders = await self._placeholders_of(voice)
        alone = await self._phonemes_of(voice, new)
        silent = [letter for letter in new if not placeholders.is_heard(letter, alone[letter])]
        self._remember_heard(voice, set(new).difference(silent))
        for first in range(0, len(silent), AT_ONCE):
            unheard = await self._unheard_within(
                texts, voice, {letter: alone[letter] for letter in silent[first : first + AT_ONCE]}
            )
            if unheard:
                return unheard
        return []

    async def _unheard_within(self, texts: Sequence[str], voice: str, alone: Mapping[str, str]) -> list[str]:
        """Those letters of ``alone`` (each with its own phonemes) that are not heard within a word either."""
        placeholders = self._placeholders[voice]
        places = _places(alone.keys(), texts)
        within = await self._phonemes_of(voice, sorted(set().union(*places.values())))
        return [
            letter
            for letter, said in alone.items()
            if not places[letter] or not all(placeholders.is_heard_in(within[place], said) for place in places[letter])
        ]

    async def _placeholders_of(self, voice: str) -> Placeholders:
        if voice not in self._placeholders:
            self._placeholders[voice] = Placeholders.of(await self._phonemes_of(voice, EXAMPLES))
        return self._placeholders[voice]

    async def _phonemes_of(self, voice: str, tokens: Sequence[str]) -> dict[str, str]:
        known = {token: self._phonemes.get((voice, token)) for token in tokens}
        missing = [token for token, phonemes in known.items() if phonemes is None]
        answers = dict(zip(missing, await self._ask(voice, missing), strict=True)) if missing else {}
        if len(self._phonemes) + len(answers) > MOST_KNOWN:
            self._phonemes.clear()
        self._phonemes.update({(voice, token): phonemes for token, phonemes in answers.items()})
        return {token: answers[token] if phonemes is None else phonemes for token, phonemes in known.items()}

    def _remember_heard(self, voice: str, letters: set[str]) -> None:
        if sum(map(len, self._heard.values())) > MOST_KNOWN:
            self._heard.clear()
        self._heard[voice] |= letters


def _places(letters: Iterable[str], texts: Sequence[str]) -> dict[str, set[str]]:
    """Where some letters stand: each with those beside it in its word, or a flag's two letters."""
    places: dict[str, set[str]] = {letter: set() for letter in letters}
    for text in texts:
        for index, letter in enumerate(text):
            if letter in places and unicodedata.category(letter)[0] == "L":
                before = text[max(0, index - BESIDE) : index].rpartition(" ")[2]
                after = text[index : index + 1 + BESIDE].partition(" ")[0]
                places[letter].add(before + after)
        for flag in _FLAG.findall(text):
            for letter in places.keys() & set(flag):
                places[letter].add(flag)
    return places

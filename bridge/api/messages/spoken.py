"""The check that everything that the scripts of a request play can be heard, before the request is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from aiohttp import web

from bridge.api.http.errors import MOST_PROBLEMS, BadRequest
from bridge.api.http.services import ACCOUNT, SERVICES
from bridge.scripts import Script
from bridge.scripts.script import SpokenText
from bridge.speech.errors import LanguageUnsupportedError, NothingToSayError, SpeechError, VoiceUnknownError
from bridge.speech.phrase import Phrase
from bridge.speech.speech import Speech

MOST_STEPS = 500_000
"""Steps of all scripts of a request: what it costs to look through them must not grow beyond its bytes."""

_ASKED_AT_ONCE = 4

_Key = TypeVar("_Key")
_Path = TypeVar("_Path")

Place = Callable[[str], str]
"""From the path of a member in its message or scenario to the path in the request."""


class _Text(NamedTuple):
    """A phrase, and whether it must have something to say: a part of a text, or an empty one, need not."""

    phrase: Phrase
    must_be_heard: bool


class _Paths(NamedTuple):
    """The members that make up a text."""

    text: str
    language: str
    voice: str


class PlayedByScripts:
    """What the scripts of a request play: each text and each upload once, with the members that name it."""

    def __init__(self) -> None:
        self.texts: dict[_Text, list[_Paths]] = {}
        self.uploads: dict[str, list[str]] = {}
        self._steps = 0

    def add(self, script: Script, place: Place, *, sensitive: bool, variables: Mapping[str, str] | None) -> None:
        """Look through another script; ``variables`` are those it begins with, None when they are not known yet.

        Raises BadRequest when the scripts have too many steps together.
        """
        self._steps += len(script.steps)
        if self._steps > MOST_STEPS:
            text = f"have scripts of more than {MOST_STEPS} steps in all"
            raise BadRequest("the request is too large; see validationErrors", {"messages": [text]})
        for spoken in script.texts(variables):
            _note(self.texts, _text(spoken, sensitive=sensitive), _paths(spoken, place))
        for upload_id, path in script.uploads():
            _note(self.uploads, upload_id, place(path))


async def refuse_what_cannot_be_heard(request: web.Request, played: PlayedByScripts) -> None:
    """Raises BadRequest, which names every member at fault, when a voice cannot speak a text, or a file is not there.

    The uploads that are played are kept for another 90 days.
    """
    problems = await _unspeakable(request.app[SERVICES].speech, played.texts)
    problems |= await _unknown_uploads(request, played.uploads)
    if problems:
        raise BadRequest("what is to be played cannot be heard; see validationErrors", problems)


async def _unknown_uploads(request: web.Request, named: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """What is wrong with the members that name unknown uploads.

    ``named`` are the paths of the members that name an upload, by its id. A known one is kept for another 90 days.
    """
    if not named:
        return {}
    services = request.app[SERVICES]
    known = await services.store.uploads.use(request[ACCOUNT], set(named), services.rules().now)
    return {path: ["there is no such upload"] for each in named.keys() - known for path in named[each]}


async def _unspeakable(speech: Speech, texts: Mapping[_Text, list[_Paths]]) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    waiting = iter(texts.items())

    async def ask() -> None:
        for text, places in waiting:
            problem = await _problem(speech, text)
            if problem is not None:
                for path in dict.fromkeys(_at_fault(problem, paths) for paths in places):
                    _note(problems, path, str(problem))
            if len(problems) >= MOST_PROBLEMS:
                return
            await asyncio.sleep(0)  # other tasks take their turn, also when all is known already

    await asyncio.gather(*(ask() for _ in range(_ASKED_AT_ONCE)))
    return problems


async def _problem(speech: Speech, text: _Text) -> SpeechError | None:
    try:
        await speech.check(text.phrase)
    except NothingToSayError as error:
        return error if text.must_be_heard else None
    except SpeechError as error:
        return error
    return None


def _at_fault(problem: SpeechError, paths: _Paths) -> str:
    match problem:
        case LanguageUnsupportedError():
            return paths.language
        case VoiceUnknownError():
            return paths.voice
        case _:
            return paths.text


def _text(spoken: SpokenText, *, sensitive: bool) -> _Text:
    options = spoken.options
    # The rate is left out: it changes only how quickly the text is spoken.
    phrase = Phrase(spoken.text, options.language, options.voice, options.gender, sensitive=sensitive)
    return _Text(phrase, must_be_heard=spoken.is_whole and bool(spoken.text.strip()))


def _paths(spoken: SpokenText, place: Place) -> _Paths:
    options = spoken.options
    return _Paths(
        place(spoken.path), place(options.language_path or spoken.path), place(options.voice_path or spoken.path)
    )


def _note(places: dict[_Key, list[_Path]], key: _Key, path: _Path) -> None:
    known = places.setdefault(key, [])
    if len(known) < MOST_PROBLEMS and path not in known[-1:]:
        known.append(path)

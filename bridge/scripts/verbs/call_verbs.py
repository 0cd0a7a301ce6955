"""The verbs that do something on the line: speak, play, collect, record, dial, request, pause."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from bridge.scripts import limits
from bridge.scripts.commands import KEYS, Recording, Silence, Upload
from bridge.scripts.language.build import Build
from bridge.scripts.language.expressions import as_text, as_value
from bridge.scripts.language.forms import can_be_spoken, split_numbers
from bridge.scripts.language.members import Members
from bridge.scripts.language.templates import Template, fixed
from bridge.scripts.steps import (
    CollectStep,
    DialStep,
    Download,
    PlayStep,
    RecordStep,
    Replay,
    RequestStep,
    Several,
    Speech,
    TextTelephone,
)

_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
_REPORTS = ("ALWAYS", "MASKED", "NEVER")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_OUR_HEADERS = {"host", "content-length", "transfer-encoding", "connection"}
_MAX_HEADERS = 20


def say(verb: Members, build: Build) -> None:
    """``{"say": text, "options": {language, voice: {name, gender}, speechRate}}``."""
    text = _spoken(verb, "say")
    voice = _voice(verb.members("options"), build)
    if text is not None:
        build.add(PlayStep(replace(voice, text=text), path=verb.path_of("say")))


def play_from_url(verb: Members, build: Build) -> None:
    """``{"playFromUrl": url, "options": {loopCount}}``."""
    verb.required("playFromUrl")
    url = verb.url("playFromUrl")
    loops = _loops(verb)
    if url is not None:
        build.add(PlayStep(Download(url), loops, verb.path_of("playFromUrl")))


def play_from_upload(verb: Members, build: Build) -> None:
    """``{"playFromUpload": id, "options": {loopCount}}``."""
    verb.required("playFromUpload")
    source = Upload(verb.text("playFromUpload") or "")
    build.add(PlayStep(source, _loops(verb), verb.path_of("playFromUpload")))


def play_from_recording(verb: Members, build: Build) -> None:
    """``{"playFromRecording": null (the last), number (index) or text (identifier)}``."""
    if isinstance(verb.value["playFromRecording"], str):
        reference = verb.template("playFromRecording")
        if reference is not None:
            build.add(PlayStep(Replay(reference)))
    else:
        build.add(PlayStep(Recording(verb.integer("playFromRecording", 0, limits.MAX_VERBS))))


def play_tty(verb: Members, build: Build) -> None:
    """``{"playTty": text}``."""
    text = _spoken(verb, "playTty")
    if text is not None:
        build.add(PlayStep(TextTelephone(text)))


def collect(verb: Members, build: Build) -> None:
    """``{"collectInto": variable, "options": {maxInputLength, timeout, sendToReports, mappedValues}}``."""
    options = verb.members("options")
    _collect(verb, build, "collectInto", options, options)


def capture(verb: Members, build: Build) -> None:
    """``{"capture": variable, "timeout", "dtmfOptions": {maxInputLength, mappedValues}, "sendToReports"}``.

    Speech is not recognised here: the variable gets the keys, and ``<variable>_Full`` stays empty.
    """
    _collect(verb, build, "capture", verb, verb.members("dtmfOptions"))


def dial(verb: Members, build: Build) -> None:
    """``{"dial": number, "options": {senderId, maxCallDuration, ringTimeout}}``."""
    verb.required("dial")
    number = verb.telephone("dial")
    _dial(verb, build, [number] if number is not None else [])


def dial_to_many(verb: Members, build: Build) -> None:
    """``{"dialToMany": [{number | numbers}], "options": {parallel, senderId, maxCallDuration, ringTimeout}}``."""
    numbers: list[Template | Several] = []
    entries = verb.items("dialToMany")
    if not entries:
        verb.refuse("dialToMany", "must list at least one number")
    for index, entry in enumerate(entries):
        path = f"{verb.path_of('dialToMany')}[{index}]"
        if not isinstance(entry, dict):
            verb.problems.add(path, 'must be an object with "number" or "numbers"')
            continue
        numbers += _entry_numbers(Members(entry, path, verb.problems))
    _dial(verb, build, numbers)


def record(verb: Members, build: Build) -> None:
    """``{"record": seconds | null, "options": {escapeDigits, beep, maxSilence, identifier}}``."""
    options = verb.members("options")
    stop_keys = (options.text("escapeDigits") or "").upper()
    if not set(stop_keys) <= set(KEYS):
        options.refuse("escapeDigits", "must be keys: 0-9, *, # and A-D")
    build.add(
        RecordStep(
            max_seconds=verb.integer("record", 1, limits.MAX_RECORDING) or limits.MAX_RECORDING,
            max_silence=options.integer("maxSilence", 1, limits.MAX_RECORDING),
            beep=options.flag("beep"),
            stop_keys=stop_keys,
            identifier=options.template("identifier"),
            pointer="#/" + re.sub(r"[.\[]", "/", verb.path.replace("]", "")),
        )
    )


def request(verb: Members, build: Build) -> None:
    """``{"request": url, "options": {method, headers, body, collectResponse}}``; a JSON body goes out as JSON."""
    verb.required("request")
    url = verb.url("request")
    options = verb.members("options")
    if isinstance(body := options.value.get("body"), dict | list):
        options = Members({**options.value, "body": json.dumps(body)}, options.path, options.problems)
    step = RequestStep(
        url=url or fixed(""),
        method=options.one_of("method", _METHODS) or "GET",
        headers=_headers(options),
        body=options.template("body", limits.MAX_VALUE),
        collects=options.flag("collectResponse"),
    )
    build.add(step)


def pause(verb: Members, build: Build) -> None:
    """``{"pause": seconds}``, more than 0 and at most 5."""
    verb.required("pause")
    seconds = verb.number("pause", 0, 5)
    if seconds == 0:
        verb.refuse("pause", "must be more than 0")
    build.add(PlayStep(Silence(float(seconds or 0))))


CALL_VERBS: dict[str, Callable[[Members, Build], None]] = {
    "say": say,
    "playFromUrl": play_from_url,
    "playFromUpload": play_from_upload,
    "playFromRecording": play_from_recording,
    "playTty": play_tty,
    "collectInto": collect,
    "capture": capture,
    "dial": dial,
    "dialToMany": dial_to_many,
    "record": record,
    "request": request,
    "pause": pause,
}


def _spoken(verb: Members, name: str) -> Template | None:
    verb.required(name)
    text = verb.template(name, limits.MAX_TEXT)
    if text is not None and text.is_fixed and not can_be_spoken(text.render({})):
        verb.refuse(name, "has nothing that can be spoken")
    return text


def _voice(options: Members, build: Build) -> Speech:
    inherited, language_path, voice_path = build.voice.voice, build.voice.language_path, build.voice.voice_path
    voice = inherited
    if language := options.text("language"):
        language_path = options.path_of("language")
        voice = replace(voice, language=language.lower())
    if voice.language != inherited.language:
        voice = replace(voice, voice=None, gender=None)
    if isinstance(options.value.get("voice"), str):
        voice_path = options.path_of("voice")
        voice = replace(voice, voice=options.text("voice"), gender=None)
    elif options.has("voice"):
        wanted = options.members("voice")
        voice_path = wanted.path_of("name")
        voice = replace(voice, voice=wanted.text("name"), gender=wanted.one_of("gender", ("male", "female")))
    rate = options.number("speechRate", 0, limits.MAX_VALUE)
    if rate is not None:
        voice = replace(voice, rate=min(max(float(rate), 0.5), 2.0))
    return Speech(build.voice.text, voice, language_path, voice_path)


def _loops(verb: Members) -> int:
    return verb.members("options").integer("loopCount", 1, 10) or 1


def _collect(verb: Members, build: Build, name: str, options: Members, keys: Members) -> None:
    meanings = keys.members("mappedValues").value
    reports = options.one_of("sendToReports", _REPORTS)
    build.add(
        CollectStep(
            variable=verb.variable(name),
            action="capture" if name == "capture" else "collect",
            max_keys=keys.integer("maxInputLength", 0, limits.MAX_KEYS) or limits.MAX_KEYS,
            timeout=options.number("timeout", 1, 30) or 5,
            reports="NEVER" if reports == "NEVER" else "MASKED" if reports == "MASKED" else "ALWAYS",
            meanings={entered: as_text(as_value(meaning)) for entered, meaning in meanings.items()},
        )
    )


def _entry_numbers(entry: Members) -> Sequence[Template | Several]:
    if entry.has("number") or not entry.has("numbers"):
        entry.required("number")
        number = entry.telephone("number")
        return [] if number is None else [number]
    numbers = entry.template("numbers")
    if numbers is None or not numbers.is_fixed:
        return [] if numbers is None else [Several(numbers)]
    try:
        return [fixed(number) for number in split_numbers(numbers.render({}))]
    except ValueError as error:
        entry.refuse("numbers", str(error))
        return []


def _dial(verb: Members, build: Build, numbers: Sequence[Template | Several]) -> None:
    options = verb.members("options")
    build.add(
        DialStep(
            numbers=tuple(numbers),
            at_once=options.flag("parallel"),
            caller_id=options.sender("senderId"),
            ring_seconds=options.integer("ringTimeout", 1, 300) or limits.RING_TIME,
            max_seconds=options.integer("maxCallDuration", 1, limits.MAX_TRANSFER),
        )
    )


def _headers(options: Members) -> tuple[tuple[str, Template], ...]:
    headers = options.members("headers")
    if len(headers.value) > _MAX_HEADERS:
        options.refuse("headers", f"has more than {_MAX_HEADERS} headers")
        return ()
    return tuple(
        (name, value)
        for name in headers.value
        if _header_name_is_allowed(headers, name) and (value := headers.template(name)) is not None
    )


def _header_name_is_allowed(headers: Members, name: str) -> bool:
    allowed = bool(_HEADER.fullmatch(name)) and name.lower() not in _OUR_HEADERS
    if not allowed:
        headers.refuse(name, "is not a header that can be set")
    return allowed

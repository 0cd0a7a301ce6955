"""Voices: what can be named, and what cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

pytestmark = pytest.mark.any_database


async def voices(desk: Desk, language: str, **query: str) -> list[dict[str, Any]]:
    answer = await desk.get(f"/tts/3/voices/{language}", **query)
    assert answer.status == 200, await answer.text()
    listed: list[dict[str, Any]] = (await answer.json())["voices"]
    return listed


async def test_every_listed_voice_may_be_named(desk: Desk) -> None:
    for language in ("en", "pt-BR", "de", "fil-ph"):
        listed = await voices(desk, language)
        assert {"male", "female"} >= {voice["gender"] for voice in listed}
        for name in {voice["name"] for voice in listed}:
            body = {"to": "41793026727", "text": "Hello", "language": language, "voice": {"name": name}}
            await desk.sent(body)


async def test_a_language_has_one_default_and_for_english_it_is_joanna(desk: Desk) -> None:
    for language in ("en", "de", "hr"):
        assert sum(voice["isDefault"] for voice in await voices(desk, language)) == 1
    (default,) = [voice for voice in await voices(desk, "en") if voice["isDefault"]]
    assert (default["name"], default["gender"]) == ("Joanna", "female")
    assert set(default) == {"name", "gender", "supplier", "ssmlSupported", "isDefault", "isNeural"}


async def test_neural_voices_are_listed_when_they_are_asked_for(desk: Desk) -> None:
    assert not any(voice["isNeural"] for voice in await voices(desk, "en"))
    everyone = await voices(desk, "en", includeNeural="True")
    assert {voice["name"] for voice in everyone} >= {voice["name"] for voice in await voices(desk, "en")}
    assert (await desk.get("/tts/3/voices/en", includeNeural="maybe")).status == 400


async def test_a_language_nobody_speaks_is_not_found(desk: Desk) -> None:
    answer = await desk.get("/tts/3/voices/tlh")
    assert answer.status == 404
    assert "hr" in (await answer.json())["requestError"]["serviceException"]["text"]


@pytest.mark.parametrize(
    ("members", "at_fault"),
    [
        ({"voice": {"name": "Nobody"}}, "voice.name"),
        ({"voice": {"name": "Nobody"}, "sensitive": True}, "voice.name"),
        ({"language": "fil-ph", "sensitive": True}, "language"),
    ],
)
async def test_what_nobody_can_speak_is_refused_at_the_request(
    desk: Desk, members: dict[str, Any], at_fault: str
) -> None:
    good = {"to": "41793026727", "text": "Hello"}
    assert list(await desk.refused({**good, **members})) == [at_fault]
    several = {"messages": [{**good, "to": ["41793026727"]}, {**good, "to": ["41793026727"], **members}]}
    assert list(await desk.refused(several, "/tts/3/multi")) == [f"messages[1].{at_fault}"]
    say = {"say": "Bye", "options": {name: value for name, value in members.items() if name != "sensitive"}}
    groups = {"actions": [{"if": "anyDtmf", "actionGroup": "bye"}], "actionGroups": {"bye": [say]}}
    in_a_group = {
        "destinations": [{"to": "41793026727"}],
        "text": "Hello",
        "sensitive": "sensitive" in members,
        **groups,
    }
    in_group = f"messages[0].actionGroups.bye[0].options.{at_fault}"
    assert list(await desk.refused({"messages": [in_a_group]}, "/tts/3/advanced")) == [in_group]
    advanced = {"messages": [{"destinations": [{"to": "41793026727"}], "text": "Hello", **members}]}
    assert list(await desk.refused(advanced, "/tts/3/advanced")) == [f"messages[0].{at_fault}"]

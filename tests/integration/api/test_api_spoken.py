"""One check for all that is to be played: what no voice can say and no file holds is refused by its path."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bridge.messages.scenario import ScenarioBody, new_scenario
from bridge.messages.upload import Upload

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

pytestmark = pytest.mark.any_database

SINGLE, MULTI, ADVANCED = "/tts/3/single", "/tts/3/multi", "/tts/3/advanced"
SCENARIOS, LAUNCHES, CLICK_TO_CALL = "/voice/ivr/1/scenarios", "/voice/ivr/1/messages", "/voice/ctc/1/send"
DESTINATIONS: dict[str, Any] = {"destinations": [{"to": "41793026727"}]}
NOBODY: dict[str, Any] = {"voice": {"name": "Nobody"}}
UNKNOWN = "0" * 32


def menu(*verbs: Any) -> dict[str, Any]:
    return {"actions": [{"if": "anyDtmf", "actionGroup": "menu"}], "actionGroups": {"menu": list(verbs)}}


async def paths_at_fault(desk: Desk, path: str, body: Any, method: str = "POST") -> list[str]:
    answer = await desk.client.request(method, path, json=body, headers={"Authorization": "App the-key"})
    assert answer.status == 400, await answer.text()
    return list((await answer.json())["requestError"]["serviceException"]["validationErrors"])


async def kept_scenario(desk: Desk, script: list[Any]) -> str:
    """A scenario from a time when another engine spoke."""
    scenario = new_scenario(ScenarioBody("Old", script), datetime.now(UTC))
    await desk.store.scenarios.add("acme", scenario)
    return scenario.id


@pytest.mark.parametrize(
    ("path", "body", "at_fault"),
    [
        (SINGLE, {"to": "41793026727", "text": "Hi", **NOBODY}, "voice.name"),
        (MULTI, {"messages": [{"to": ["41793026727"], "text": "Hi", **NOBODY}]}, "messages[0].voice.name"),
        (ADVANCED, {"messages": [{**DESTINATIONS, "text": "Hi", **NOBODY}]}, "messages[0].voice.name"),
        (
            ADVANCED,
            {"messages": [{**DESTINATIONS, "audioFileUrl": "http://x.example/a", **NOBODY, **menu({"say": "Hi"})}]},
            "messages[0].voice.name",
        ),
        (
            ADVANCED,
            {"messages": [{**DESTINATIONS, "text": "Hi"}], **menu("repeat", {"say": "Hi", "options": NOBODY})},
            "actionGroups.menu[1].options.voice.name",
        ),
        (
            ADVANCED,
            {
                "messages": [{**DESTINATIONS, "text": "Hi"}],
                **menu(),
                "actionGroups": [{"name": "menu", "actions": [{"say": "Hi", "options": {"voice": "Nobody"}}]}],
            },
            "actionGroups[0].actions[0].options.voice",
        ),
        (
            CLICK_TO_CALL,
            {
                "messages": [
                    {
                        "from": "41793026727",
                        "destinationA": "41793026727",
                        "destinationB": "41793026728",
                        "text": "Hi",
                        **NOBODY,
                    }
                ]
            },
            "messages[0].voice.name",
        ),
        (
            SCENARIOS,
            {"name": "x", "script": [{"if": "${a}", "then": [{"say": "Hi", "options": NOBODY}]}]},
            "script[0].then[0].options.voice.name",
        ),
        (SCENARIOS, {"name": "x", "script": [{"say": "${a}", "options": NOBODY}]}, "script[0].options.voice.name"),
        (
            SCENARIOS,
            {"name": "x", "script": [{"say": "Hi ${a}", "options": {"language": "tlh"}}]},
            "script[0].options.language",
        ),
    ],
)
async def test_an_unknown_voice_is_refused_wherever_it_stands(desk: Desk, path: str, body: Any, at_fault: str) -> None:
    assert await paths_at_fault(desk, path, body) == [at_fault]


async def test_a_scenario_is_checked_when_it_is_changed_and_when_it_is_launched(desk: Desk) -> None:
    scenario_id = await kept_scenario(desk, [{"say": "Hi ${name}", "options": NOBODY}])
    changed = {"name": "New", "script": ["hangup", {"say": "Hi", "options": NOBODY}]}
    assert await paths_at_fault(desk, f"{SCENARIOS}/{scenario_id}", changed, "PUT") == ["script[1].options.voice.name"]
    launch = {"messages": [{"scenarioId": scenario_id, **DESTINATIONS}] * 2}
    assert await paths_at_fault(desk, LAUNCHES, launch) == [
        f"messages[{index}].scenarioId.script[0].options.voice.name" for index in range(2)
    ]
    await desk.nothing_is_left_behind()


async def test_a_script_that_cannot_be_carried_out_any_more_is_refused_when_it_is_launched(desk: Desk) -> None:
    scenario_id = await kept_scenario(desk, ["hangup", {"sing": "a song"}])
    launch = {"messages": [{"scenarioId": scenario_id, **DESTINATIONS}]}
    assert await paths_at_fault(desk, LAUNCHES, launch) == ["messages[0].scenarioId.script[1]"]


async def test_what_parameters_make_of_a_text_is_checked_for_each_message(desk: Desk) -> None:
    created = await desk.sent({"name": "x", "script": [{"say": "${name}"}]}, SCENARIOS)
    good, silent, empty = ({"name": name} for name in ("Ana", "...", ""))
    launch = {
        "messages": [
            {"scenarioId": created["id"], **DESTINATIONS, "parameters": each} for each in (good, silent, empty)
        ]
    }
    assert await paths_at_fault(desk, LAUNCHES, launch) == ["messages[1].scenarioId.script[0].say"]
    del launch["messages"][1]
    await desk.sent(launch, LAUNCHES)


async def test_what_only_the_call_knows_is_no_fault(desk: Desk) -> None:
    script = [{"collectInto": "code"}, {"say": "${code}"}, {"say": "${code}..."}]
    created = await desk.sent({"name": "x", "script": script}, SCENARIOS)
    await desk.sent({"messages": [{"scenarioId": created["id"], **DESTINATIONS}]}, LAUNCHES)


async def test_a_sensitive_launch_needs_a_local_voice(desk: Desk) -> None:
    script = [{"say": "Kumusta", "options": {"language": "fil-ph"}}]
    created = await desk.sent({"name": "x", "script": script}, SCENARIOS)
    message = {"scenarioId": created["id"], **DESTINATIONS}
    assert await paths_at_fault(desk, LAUNCHES, {"messages": [{**message, "sensitive": True}]}) == [
        "messages[0].scenarioId.script[0].options.language"
    ]
    await desk.sent({"messages": [message]}, LAUNCHES)


LOOKALIKE: dict[str, Any] = {
    "request": "https://shop.example/x",
    "options": {"method": "POST", "body": {"playFromUpload": UNKNOWN, "deep": [{"playFromUpload": UNKNOWN}]}},
}


async def test_only_what_is_played_is_an_upload(desk: Desk) -> None:
    await desk.sent({"messages": [{**DESTINATIONS, "text": "Hi", **menu(LOOKALIKE)}]}, ADVANCED)
    created = await desk.sent({"name": "x", "script": [LOOKALIKE]}, SCENARIOS)
    await desk.sent({"messages": [{"scenarioId": created["id"], **DESTINATIONS}]}, LAUNCHES)


async def test_an_unknown_upload_is_refused_where_it_is_played(desk: Desk) -> None:
    play = {"playFromUpload": UNKNOWN}
    branch = {"if": "${a}", "then": [], "else": [LOOKALIKE, play]}
    assert await paths_at_fault(desk, SCENARIOS, {"name": "x", "script": [branch]}) == [
        "script[0].else[1].playFromUpload"
    ]
    launch = {"messages": [{"scenarioId": await kept_scenario(desk, [play]), **DESTINATIONS}]}
    assert await paths_at_fault(desk, LAUNCHES, launch) == ["messages[0].scenarioId.script[0].playFromUpload"]
    message = {**DESTINATIONS, "text": "Hi"}
    at_the_top = {"messages": [message, message], **menu(LOOKALIKE, play)}
    assert await paths_at_fault(desk, ADVANCED, at_the_top) == ["actionGroups.menu[1].playFromUpload"]
    as_a_list = {**menu(), "actionGroups": [{"name": "menu", "actions": [play]}]}
    assert await paths_at_fault(desk, ADVANCED, {"messages": [message, {**message, **as_a_list}]}) == [
        "messages[1].actionGroups[0].actions[0].playFromUpload"
    ]


async def test_an_upload_that_a_launch_plays_is_kept_on(desk: Desk) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    await desk.store.uploads.add("acme", Upload(UNKNOWN, "a.wav", "wav", 9, 1.0, long_ago, long_ago))
    scenario_id = await kept_scenario(desk, [{"playFromUpload": UNKNOWN}])
    await desk.sent({"messages": [{"scenarioId": scenario_id, **DESTINATIONS}]}, LAUNCHES)
    (upload,) = await desk.store.uploads.page("acme", limit=1, offset=0)
    assert upload == replace(upload, used_at=max(upload.used_at, long_ago.replace(year=2026)))


async def test_scripts_that_are_too_long_together_are_refused(desk: Desk) -> None:
    long = {"messages": [{**DESTINATIONS, "text": "Hi"}] * 501, **menu(*["hangup"] * 999)}
    assert await paths_at_fault(desk, ADVANCED, long) == ["messages"]


@pytest.mark.parametrize("written", ["hangout", "HANGOUT", " Hangout "])
async def test_hangout_is_another_spelling_of_hangup(desk: Desk, written: str) -> None:
    join = {"from": "41793026727", "destinationA": "41793026727", "destinationB": "41793026728"}
    await desk.sent({"messages": [{**DESTINATIONS, "text": "Hi", "machineDetection": written}]}, ADVANCED)
    await desk.sent({"messages": [{**join, "machineDetection": written}]}, CLICK_TO_CALL)
    assert [claim.message.content.machine_detection for claim in await desk.dial()] == ["hangup"] * 2

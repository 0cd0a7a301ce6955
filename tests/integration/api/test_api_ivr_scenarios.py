"""IVR scenarios: written, read, searched, replaced and removed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

PATH = "/voice/ivr/1/scenarios"
SCRIPT: list[Any] = [
    {"say": "Press a key, ${to}."},
    {"collectInto": "choice", "options": {"maxInputLength": 1, "mappedValues": {"1": "yes"}}},
    {"playFromRecording": None},
    "hangup",
]
SCENARIO = {"name": "Čekaonica", "description": "For tests", "label": "demo", "record": True, "script": SCRIPT}


async def answer_of(answer: Any, status: int = 200) -> Any:
    assert answer.status == status, await answer.text()
    return await answer.json()


async def exists(desk: Desk, scenario_id: str, key: str = "the-key") -> bool:
    return (await desk.get(f"{PATH}/{scenario_id}", key)).status == 200


async def test_a_scenario_comes_back_as_it_was_written(desk: Desk) -> None:
    created = await desk.sent({**SCENARIO, "notifyUrl": "https://shop.example/ivr", "unknown": 1}, PATH)
    assert re.fullmatch(r"[0-9A-F]{32}", created["id"])
    assert created == await answer_of(await desk.get(f"{PATH}/{created['id']}"))
    assert {name: created[name] for name in SCENARIO} == SCENARIO
    assert created["notifyUrl"] == "https://shop.example/ivr"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", created["createTime"])
    assert created["lastUsageDate"] is None


async def test_a_script_may_be_json_in_a_string(desk: Desk) -> None:
    created = await desk.sent({**SCENARIO, "script": json.dumps(SCRIPT)}, PATH)
    assert created["script"] == SCRIPT


@pytest.mark.parametrize(
    ("members", "path", "text"),
    [
        ({"name": None}, "name", "is required"),
        ({"name": 7}, "name", "valid string"),
        ({"script": None}, "script", "is required"),
        ({"script": {}}, "script", "valid list"),
        ({"script": "not JSON"}, "script", "must be a list of actions"),
        ({"script": []}, "script", "must have at least one action"),
        ({"script": [{"dial": "nobody"}]}, "script[0].dial", "telephone number"),
        ({"script": [{"if": "${a}", "then": [{"sendSms": {}}]}]}, "script[0].then[0].sendSms", "cannot be done"),
        ({"script": [{"say": "Bok", "options": {"language": "tlh"}}]}, "script[0].options.language", "speaks 'tlh'"),
        ({"script": [{"playFromUpload": "0" * 32}]}, "script[0].playFromUpload", "there is no such upload"),
        ({"script": [[[[["deep"]]]]]}, "script[0]", "must be"),
        ({"notifyUrl": "ftp://shop.example"}, "notifyUrl", "http"),
        ({"record": "yes"}, "record", "valid boolean"),
    ],
)
async def test_a_scenario_that_cannot_be_carried_out_is_refused_by_path(
    desk: Desk, members: dict[str, Any], path: str, text: str
) -> None:
    problems = await desk.refused({**SCENARIO, **members}, PATH)
    assert any(text in each for each in problems[path]), problems
    assert await answer_of(await desk.get(PATH)) == []


async def test_a_scenario_is_replaced_whole_under_its_id(desk: Desk) -> None:
    created = await desk.sent(SCENARIO, PATH)
    changed = await answer_of(await desk.put(f"{PATH}/{created['id']}", {"name": "New", "script": ["hangup"]}))
    assert (changed["id"], changed["name"], changed["script"]) == (created["id"], "New", ["hangup"])
    assert (changed["description"], changed["record"]) == (None, False)
    assert changed["createTime"] == created["createTime"]
    assert changed == await answer_of(await desk.get(f"{PATH}/{created['id']}"))


async def test_a_change_that_is_refused_changes_nothing(desk: Desk) -> None:
    created = await desk.sent(SCENARIO, PATH)
    await answer_of(await desk.put(f"{PATH}/{created['id']}", {"name": "New", "script": ["jump"]}), 400)
    assert await answer_of(await desk.get(f"{PATH}/{created['id']}")) == created


async def test_a_scenario_that_is_removed_is_gone(desk: Desk) -> None:
    created = await desk.sent(SCENARIO, PATH)
    where = f"{PATH}/{created['id']}"
    assert (await desk.client.delete(where, headers={"Authorization": "App the-key"})).status == 200
    assert not await exists(desk, created["id"])
    assert (await desk.client.delete(where, headers={"Authorization": "App the-key"})).status == 404
    assert (await desk.put(where, SCENARIO)).status == 404


async def test_scenarios_belong_to_their_account(desk: Desk) -> None:
    created = await desk.sent(SCENARIO, PATH)
    where, other = f"{PATH}/{created['id']}", {"Authorization": "App the-other-key"}
    assert not await exists(desk, created["id"], "the-other-key")
    assert (await desk.put(where, SCENARIO, "the-other-key")).status == 404
    assert (await desk.client.delete(where, headers=other)).status == 404
    assert await answer_of(await desk.get(PATH, "the-other-key")) == []
    assert await exists(desk, created["id"])


async def test_scenarios_are_searched_and_paged_the_newest_first(desk: Desk) -> None:
    for name in ("Menu one", "menu 100%", "Survey"):
        await desk.sent({**SCENARIO, "name": name, "label": name[0]}, PATH)

    async def names(**query: str) -> list[str]:
        return [scenario["name"] for scenario in await answer_of(await desk.get(PATH, **query))]

    assert await names() == ["Survey", "menu 100%", "Menu one"]
    assert await names(name="MENU") == ["menu 100%", "Menu one"]
    assert await names(name="0%") == ["menu 100%"]
    assert await names(label="S") == ["Survey"]
    assert await names(pageSize="2", page="2") == ["Menu one"]
    assert await names(pageSize="9999") == ["Survey", "menu 100%", "Menu one"]
    assert await names(page="999999999999999") == []


async def test_scenarios_are_searched_by_the_day_of_their_last_launch(desk: Desk) -> None:
    used = await desk.sent(SCENARIO, PATH)
    await desk.sent(SCENARIO, PATH)
    await desk.sent(
        {"messages": [{"scenarioId": used["id"], "destinations": [{"to": "41793026727"}]}]}, "/voice/ivr/1/messages"
    )
    today = (await answer_of(await desk.get(f"{PATH}/{used['id']}")))["lastUsageDate"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", today)

    async def count(**query: str) -> int:
        return len(await answer_of(await desk.get(PATH, **query)))

    assert await count(lastUsageDateSince=today) == 1
    assert await count(lastUsageDateSince=today, lastUsageDateUntil=f"{today}T00:00:00") == 1
    assert await count(lastUsageDateSince="2999-01-01") == 0
    assert await count(lastUsageDateUntil="2000-01-01") == 0


@pytest.mark.parametrize(
    ("name", "value"), [("page", "0"), ("page", "x"), ("pageSize", "-1"), ("lastUsageDateSince", "yesterday")]
)
async def test_a_bad_query_is_refused_by_name(desk: Desk, name: str, value: str) -> None:
    answer = await answer_of(await desk.get(PATH, **{name: value}), 400)
    assert list(answer["requestError"]["serviceException"]["validationErrors"]) == [name]

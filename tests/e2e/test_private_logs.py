"""What callers sent is nowhere in the daemon's log, whatever goes wrong; what is there of a call says of which."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, FormData

from bridge.store import Store
from tests.e2e.faults.sitecustomize import PRIVATE
from tests.e2e.running_lab import RunningLab, running_lab, until_is
from tests.e2e.test_calls import cdr_of
from tests.e2e.test_outages import end
from tests.poison import poison_attempt, poison_content

NOWHERE = f"http://127.0.0.1:9/{PRIVATE}?{PRIVATE}={PRIVATE}#{PRIVATE}"
VERBS: list[Any] = [
    {"say": f"Hello {PRIVATE}."},
    {"request": NOWHERE, "options": {"method": "POST", "headers": {"X-Own": PRIVATE}, "body": PRIVATE}},
    {"collectInto": PRIVATE, "options": {"maxInputLength": 1, "timeout": 1}},
    {"if": f"${{{PRIVATE}}} == '{PRIVATE}'", "then": [{"say": PRIVATE}], "else": ["hangup"]},
]
OF_A_CALL = {"ended", "released", "adopted", "attempt_failed", "not_spoken", "request_of_script", "next_trunk"} | {
    "request_of_script_failed", "not_made_for_the_call", "report_not_pushed_yet", "report_pushed", "past_not_read",
}  # fmt: skip


@pytest.fixture
def own(lab_settings_only: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningLab]:
    faults = tmp_path / "faults"
    faults.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).with_name("faults")))
    monkeypatch.setenv("FAULTS", str(faults))
    monkeypatch.setenv("CANNOT_LIVE_SECONDS", "600")
    with running_lab(tmp_path / "lab", {"VOICEBRIDGE_LOG_LEVEL": "debug"}) as lab:
        yield lab


def bodies() -> list[Any]:
    """Requests in which every member holds what nobody may see, right and wrong ones."""
    single = {"from": "41790000000", "to": "9990081", "text": f"Hello {PRIVATE}."}
    return [
        single | {"notifyUrl": NOWHERE, "callbackData": PRIVATE},
        single | {"text": None, "audioFileUrl": NOWHERE},
        *(
            {**single, member: PRIVATE}
            for member in ("from", "to", "language", "voice", "sendAt", "notifyUrl", PRIVATE)
        ),
        single | {"voice": {"name": PRIVATE}},
        single | {"text": f"{PRIVATE}\x00"},
        single | {"text": f"{PRIVATE}\ud800"},
        {PRIVATE: PRIVATE},
        [PRIVATE],
        PRIVATE,
    ]


def advanced(**members: Any) -> dict[str, Any]:
    message = {"from": "41790000000", "destinations": [{"to": "9990082"}], "text": f"Press, {PRIVATE}."}
    return {"messages": [message | members]}


async def ask_everything(api: ClientSession) -> None:
    described = await (await api.get("/openapi.json")).json()
    for path, methods in described["paths"].items():
        for method in methods:
            address = "/".join(PRIVATE if part.startswith("{") else part for part in path.split("/"))
            query = {PRIVATE: PRIVATE, "bulkId": PRIVATE, "messageId": PRIVATE, "limit": PRIVATE, "sentSince": PRIVATE}
            for body in bodies():
                await (await api.request(method, address, params=query, json=body)).read()
            await (
                await api.request(
                    method, address, data=f'{{"{PRIVATE}": ', headers={"Content-Type": "application/json"}
                )
            ).read()
            await (await api.request(method, address, headers={"Authorization": f"App {PRIVATE}"})).read()
    form = FormData()
    form.add_field("file", PRIVATE.encode(), filename=f"{PRIVATE}.wav", content_type="audio/wav")
    await (await api.post("/voice/ivr/1/uploads", data=form)).read()
    await (await api.request(PRIVATE.upper(), f"/{PRIVATE}")).read()


async def tokens_of(api: ClientSession, path: str, body: dict[str, Any]) -> list[str]:
    async with api.post(path, json=body) as response:
        answer = await response.json()
        assert response.status == 200, answer
    return [message.get("token") or message["messageId"] for message in answer["messages"]]


async def call_with_everything(api: ClientSession) -> list[str]:
    """Calls on which all that can fail does."""
    tokens = await tokens_of(api, "/tts/3/single", bodies()[0])
    tokens += await tokens_of(api, "/tts/3/single", bodies()[1])
    actions = [{"if": "noDtmf", "actionGroup": PRIVATE}]
    tokens += await tokens_of(
        api, "/tts/3/advanced", advanced(actions=actions, actionGroups={PRIVATE: VERBS[:2]}, dtmfTimeout=1)
    )
    scenario = {"name": PRIVATE, "script": VERBS, "label": PRIVATE, "description": PRIVATE}
    async with api.post("/voice/ivr/1/scenarios", json=scenario) as response:
        answer = await response.json()
        assert response.status == 200, answer
    launched = {"scenarioId": answer["id"], "from": "41790000000", "destinations": [{"to": "9990083"}]}
    parameters = {"parameters": {PRIVATE: PRIVATE}, "notifyUrl": NOWHERE}
    tokens += await tokens_of(api, "/voice/ivr/1/messages", {"messages": [launched | parameters]})
    return tokens


async def test_nothing_that_a_caller_sent_is_in_the_log(own: RunningLab, tmp_path: Path) -> None:
    faults = tmp_path / "faults"
    async with ClientSession(own.url, headers=own.headers) as api:
        await ask_everything(api)
        for token in await call_with_everything(api):
            await cdr_of(api, token, 60)
        # A fault of ours over a request, an attempt that is adopted, and rows that cannot be read.
        (faults / "accept").touch()
        async with api.post("/tts/3/single", json=bodies()[0]) as response:
            assert response.status == 500
        (faults / "accept").unlink()
        long = {"from": "41790000000", "to": "9990084", "text": f"Hello {PRIVATE}, to the end. " * 8}
        (talking, poisoned) = [
            (await tokens_of(api, "/tts/3/single", long | {"to": to}))[0] for to in ("9990084", "9990085")
        ]
        for token in (talking, poisoned):

            async def talks(token: str = token) -> bool:
                async with api.get(f"/voice/1/calls/{token}") as response:
                    return bool((await response.json())["state"] == "in-progress")

            await until_is(talks)
        end(own, "VOICEBRIDGE_PID")
        store = Store(own.lab.environment()["VOICEBRIDGE_DATABASE_URL"])
        poison_content(store, poisoned, json.dumps({"text": PRIVATE, PRIVATE: PRIVATE, "feature": PRIVATE}))
        poison_attempt(store, talking, "happened", json.dumps([{PRIVATE: PRIVATE}]))
        poison_attempt(store, talking, "inputs", json.dumps([PRIVATE]))
        await store.close()
        own.lab.up()
        for token in (talking, poisoned):
            await cdr_of(api, token, 60)
        for fault in ("retention", "push"):
            (faults / fault).touch()

            async def is_down() -> bool:
                async with api.get("/readyz") as response:
                    return response.status == 503

            await until_is(is_down)
            (faults / fault).unlink()
        own.lab.down()
    log = own.lab.log("voicebridge").read_text()
    found = [line for line in log.splitlines() if PRIVATE in line.lower()]
    assert found == []
    lines = [json.loads(line) for line in log.splitlines()]
    told = {line["event"] for line in lines}
    assert told >= {
        "ended",
        "adopted",
        "content_unreadable",
        "past_not_read",
        "request_of_script_failed",
        "request_failed",
    }
    assert told >= {"report_not_pushed_yet", "not_spoken", "part_failed"}
    unnamed = [
        line for line in lines if line["event"] in OF_A_CALL and not (line.get("message") and line.get("attempt"))
    ]
    assert unnamed == []

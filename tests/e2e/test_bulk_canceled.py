"""A bulk is canceled while its calls ring and talk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientSession

from bridge.reports.members import wire_time
from tests.e2e.running_lab import RunningLab, until_is

RINGS, TALKS, WAITS = "9990201", "99900012", "99900013"


async def standing(api: ClientSession, token: str, state: str) -> dict[str, Any]:
    """The call, as soon as it is in that state."""

    async def fetch() -> dict[str, Any] | None:
        async with api.get(f"/voice/1/calls/{token}") as response:
            members: dict[str, Any] = await response.json()
        return members if members["state"] == state else None

    return await until_is(fetch)


async def test_calls_that_ring_or_talk_are_stopped_and_what_waits_is_never_dialled(
    lab: RunningLab, api: ClientSession
) -> None:
    later = datetime.now(UTC) + timedelta(seconds=10)
    long = "This is a long text that is still being said when the bulk is canceled. " * 10
    retry = {"minPeriod": 1, "maxPeriod": 1, "maxCount": 4}
    body = {
        "bulkId": "canceled",
        "messages": [
            {"destinations": [{"to": RINGS, "messageId": "rings"}], "text": "Nobody hears this.", "retry": retry},
            {"destinations": [{"to": TALKS, "messageId": "talks"}], "text": long},
            {
                "destinations": [{"to": WAITS, "messageId": "waits"}],
                "text": "Nobody hears this.",
                "sendAt": wire_time(later),
            },
        ],
    }
    async with api.post("/tts/3/advanced", json=body) as response:
        assert response.status == 200, await response.text()
    ringing = await standing(api, "rings", "ringing")
    assert ringing["ringingAt"] is not None
    talking = await standing(api, "talks", "in-progress")
    assert talking["answeredAt"] is not None
    canceled_at = datetime.now(UTC)
    async with api.put("/tts/3/bulks/status", params={"bulkId": "canceled"}, json={"status": "CANCELED"}) as response:
        assert await response.json() == {"bulkId": "canceled", "status": "CANCELED"}
    ends = {}
    for token in ("rings", "talks", "waits"):
        done = await standing(api, token, "done")
        ends[token] = done["status"]["name"], done["error"]["id"]
        took = datetime.strptime(done["doneAt"], "%Y-%m-%dT%H:%M:%S.%f%z") - canceled_at
        assert took < timedelta(seconds=10)
    assert ends == {
        "rings": ("UNDELIVERABLE_NOT_DELIVERED", 5487),
        "talks": ("DELIVERED_TO_HANDSET", 5000),
        "waits": ("UNDELIVERABLE_NOT_DELIVERED", 5487),
    }
    await lab.until(lambda: len(lab.calls(RINGS)) == len(lab.calls(TALKS)) == 1)
    async with api.get("/voice/1/calls/rings/cdr") as response:
        (attempt,) = (await response.json())["attempts"]
    assert (attempt["hungUpBy"], attempt["answeredAt"]) == ("caller", None)
    async with api.get("/tts/3/reports", params={"bulkId": "canceled"}) as response:
        assert len((await response.json())["results"]) == 3
    await lab.until(lambda: datetime.now(UTC) > later + timedelta(seconds=1))
    assert lab.calls(WAITS) == []

"""Logs: what was sent in the last 48 hours, as often as it is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from yarl import URL

from bridge.messages.attempt import Attempt
from bridge.messages.expansion import Destination, Order, expand
from bridge.messages.message import Content
from bridge.reports.members import wire_time

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk


async def logs(desk: Desk, query: str = "", key: str = "the-key") -> Any:
    answer = await desk.client.get(URL(f"/tts/3/logs?{query}", encoded=True), headers={"Authorization": f"App {key}"})
    assert answer.status == 200, await answer.text()
    return (await answer.json())["results"]


async def tos(desk: Desk, query: str = "") -> list[str]:
    return [entry["to"] for entry in await logs(desk, query)]


async def was_sent(desk: Desk, *numbers: str, ago: timedelta, bulk_id: str | None = None) -> None:
    """Messages that were accepted in the past, when they were due."""
    order = Order(Content(text="Hello"), [Destination(number, f"to-{number}") for number in numbers], sender="12345")
    await desk.store.messages.accept(expand([order], account="acme", now=datetime.now(UTC) - ago, bulk_id=bulk_id))


async def answered(desk: Desk) -> list[Attempt]:
    """Every call that is due now, made and over."""
    return [await desk.finish(claim) for claim in await desk.dial(later=-timedelta(seconds=1))]


async def test_a_finished_call_stands_in_the_logs_as_often_as_one_asks(desk: Desk) -> None:
    sent = await desk.sent({"from": "385 1 5507-799", "to": "+41793026727", "text": "Your code is 1,,2"})
    (attempt,) = await answered(desk)
    for _ in range(2):
        (entry,) = await logs(desk)
        assert entry == {
            "bulkId": sent["bulkId"],
            "messageId": sent["messages"][0]["messageId"],
            "to": "41793026727",
            "from": "38515507799",
            "text": "Your code is 1,,2",
            "sentAt": wire_time(attempt.dialled_at),
            "doneAt": wire_time(attempt.ended_at or attempt.dialled_at),
            "duration": 4,
            "mccMnc": None,
            "price": {"pricePerSecond": 0.0, "currency": "UNKNOWN"},
            "status": entry["status"],
            "error": entry["error"],
        }
        assert (entry["status"]["name"], entry["error"]["name"]) == ("DELIVERED_TO_HANDSET", "VOICE_ANSWERED")
    (report,) = (await (await desk.get("/tts/3/reports")).json())["results"]
    assert report["sentAt"] == entry["sentAt"]


async def test_a_message_that_waits_is_logged_from_its_time_on(desk: Desk) -> None:
    await desk.sent({"to": "41793026727", "text": "Hello"})
    (entry,) = await logs(desk)
    assert (entry["status"]["name"], entry["doneAt"], entry["duration"]) == ("PENDING_ACCEPTED", None, 0)
    tomorrow = wire_time(datetime.now(UTC) + timedelta(days=1))
    message = {"destinations": [{"to": "41793026728"}], "text": "Hello", "sendAt": tomorrow}
    await desk.sent({"messages": [message]}, "/tts/3/advanced")
    assert await tos(desk) == ["41793026727"]


async def test_the_text_of_a_sensitive_message_is_not_shown(desk: Desk) -> None:
    await desk.sent({"to": "41793026727", "text": "Your PIN is 1,2,3", "sensitive": True})
    assert [entry["text"] for entry in await logs(desk)] == [None]


async def test_logs_go_back_48_hours_the_newest_first(desk: Desk) -> None:
    await was_sent(desk, "41793026701", ago=timedelta(hours=48, minutes=1))
    await was_sent(desk, "41793026702", ago=timedelta(hours=47, minutes=59))
    await was_sent(desk, "41793026703", ago=timedelta(hours=1))
    assert await tos(desk) == ["41793026703", "41793026702"]
    assert await tos(desk, "sentSince=2020-01-01T00:00:00Z") == ["41793026703", "41793026702"]


async def test_logs_are_chosen_by_what_was_sent(desk: Desk) -> None:
    await was_sent(desk, "41793026701", "41793026702", ago=timedelta(hours=3), bulk_id="first, and more")
    await was_sent(desk, "41793026703", ago=timedelta(hours=2), bulk_id="second")
    await was_sent(desk, "41793026704", ago=timedelta(hours=1), bulk_id="third")
    assert await tos(desk, "limit=2") == ["41793026704", "41793026703"]
    assert await tos(desk, "to=%2B41793026703") == ["41793026703"]
    assert len(await tos(desk, "from=12345")) == 4
    assert await tos(desk, "from=54321") == []
    assert await tos(desk, "bulkId=second&bulkId=third") == ["41793026704", "41793026703"]
    assert await tos(desk, f"bulkId={quote('first, and more')}&limit=1") == ["41793026702"]
    assert await tos(desk, "bulkId=unknown") == []
    assert await tos(desk, "messageId=to-41793026701&messageId=to-41793026704") == ["41793026704", "41793026701"]
    assert await tos(desk, "messageId=to-41793026701&bulkId=second") == []
    assert await tos(desk, "bulkId=second&to=41793026704") == []
    assert await tos(desk, "mcc=228") == []
    assert await tos(desk, "mnc=01") == []
    assert await logs(desk, key="the-other-key") == []
    assert await logs(desk, "bulkId=second", key="the-other-key") == []
    assert await logs(desk, "messageId=to-41793026701", key="the-other-key") == []


async def test_the_numbers_of_a_query_are_read_as_those_of_a_request(desk: Desk) -> None:
    await desk.sent({"from": "38515507799", "to": "41793026727", "text": "Hello"})
    query = f"from={quote('+385 (0)1 5507-799')}&to={quote('tel:+41-79-302-67-27')}"
    assert await tos(desk, query) == ["41793026727"]


async def test_logs_are_chosen_by_time(desk: Desk) -> None:
    for hours in (3, 2, 1):
        await was_sent(desk, f"4179302670{hours}", ago=timedelta(hours=hours))
    at = {entry["to"]: entry["sentAt"] for entry in await logs(desk)}
    two_hours_ago = quote(at["41793026702"])
    assert await tos(desk, f"sentSince={two_hours_ago}") == ["41793026701", "41793026702"]
    assert await tos(desk, f"sentUntil={two_hours_ago}") == ["41793026702", "41793026703"]
    assert await tos(desk, f"sentSince={two_hours_ago}&sentUntil={two_hours_ago}") == ["41793026702"]
    with_a_plus = at["41793026702"]
    assert await tos(desk, f"sentSince={with_a_plus}&sentUntil={with_a_plus}") == ["41793026702"]


async def test_logs_are_chosen_by_status_group(desk: Desk) -> None:
    await was_sent(desk, "41793026701", ago=timedelta(hours=1))
    await answered(desk)
    await was_sent(desk, "41793026702", ago=timedelta(hours=1))
    assert await tos(desk, "generalStatus=DELIVERED") == ["41793026701"]
    assert await tos(desk, "generalStatus=pending") == ["41793026702"]
    assert await tos(desk, "generalStatus=REJECTED") == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "all"},
        {"sentSince": "yesterday"},
        {"sentUntil": "2026-13-01T00:00:00Z"},
        {"generalStatus": "LOST"},
        {"to": "nobody"},
        {"from": "12"},
    ],
)
async def test_a_query_that_breaks_a_rule_is_refused_by_name(desk: Desk, query: dict[str, str]) -> None:
    answer = await desk.get("/tts/3/logs", **query)
    assert answer.status == 400
    exception = (await answer.json())["requestError"]["serviceException"]
    assert list(exception["validationErrors"]) == list(query)


async def test_more_than_a_thousand_are_never_given_at_once(desk: Desk) -> None:
    await was_sent(desk, *(f"4179{n:07}" for n in range(1001)), ago=timedelta(hours=1))
    assert len(await tos(desk, "limit=999999999999")) == 1000
    assert len(await tos(desk)) == 50

"""Bulks: moved, paused, resumed and canceled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.reports.members import wire_time
from bridge.store import Claim

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

DAY = timedelta(days=1)


async def send(desk: Desk, *numbers: str, at: datetime | None = None, bulk_id: str = "bulk", **members: Any) -> None:
    message = {
        "destinations": [{"to": number, "messageId": number} for number in numbers],
        "text": "Hello",
        "sendAt": wire_time(at or datetime.now(UTC)),
        **members,
    }
    await desk.sent({"bulkId": bulk_id, "messages": [message]}, "/tts/3/advanced")


async def status(desk: Desk, bulk_id: str = "bulk") -> str:
    answer = await desk.get("/tts/3/bulks/status", bulkId=bulk_id)
    assert answer.status == 200, await answer.text()
    members = await answer.json()
    assert members == {"bulkId": bulk_id, "status": members["status"]}
    return str(members["status"])


async def change(desk: Desk, wanted: str) -> str:
    answer = await desk.put("/tts/3/bulks/status", {"status": wanted}, bulkId="bulk")
    assert answer.status == 200, await answer.text()
    members = await answer.json()
    assert members == {"bulkId": "bulk", "status": await status(desk)}
    return str(members["status"])


async def state(desk: Desk, message_id: str) -> tuple[str, str, int]:
    members = await (await desk.get(f"/voice/1/calls/{message_id}")).json()
    return members["state"], members["status"]["name"], members["error"]["id"]


async def fail(desk: Desk, claim: Claim, again_at: datetime) -> None:
    """The number was busy, and the message's policy has it called again."""
    end = claim.attempt.dialled_at + timedelta(seconds=1)
    busy = replace(claim.attempt, ended_at=end, cause=17, sip_status=486, status_id=15, error_id=5002)
    await desk.store.calls.retry(claim.key, busy, again_at, 26)


async def test_a_bulk_goes_from_pending_over_processing_to_finished(desk: Desk) -> None:
    await send(desk, "41793026701", "41793026702")
    assert await status(desk) == "PENDING"
    first, second = await desk.dial()
    assert await status(desk) == "PROCESSING"
    await desk.finish(first)
    assert await status(desk) == "PROCESSING"
    await desk.finish(second)
    assert await status(desk) == "FINISHED"


async def test_a_bulk_that_waits_for_a_retry_is_in_processing(desk: Desk) -> None:
    await send(desk, "41793026701")
    (claim,) = await desk.dial()
    await fail(desk, claim, datetime.now(UTC) + DAY)
    assert await status(desk) == "PROCESSING"


async def test_a_bulk_tells_when_it_is_sent(desk: Desk) -> None:
    at = datetime.now(UTC) + DAY
    await send(desk, "41793026701", "41793026702", at=at, sendingSpeed={"speed": 1, "timeUnit": "minute"})
    answer = await desk.get("/tts/3/bulks", bulkId="bulk")
    assert await answer.json() == {"bulkId": "bulk", "sendAt": wire_time(at)}


async def test_a_bulk_is_rescheduled_with_its_validity_and_its_distances(desk: Desk) -> None:
    at = datetime.now(UTC) + DAY
    speed = {"speed": 1, "timeUnit": "minute"}
    await send(desk, "41793026701", "41793026702", at=at, sendingSpeed=speed)
    before = desk.wakes
    new = at + 3 * DAY
    answer = await desk.put("/tts/3/bulks", {"sendAt": wire_time(new)}, bulkId="bulk")
    assert await answer.json() == {"bulkId": "bulk", "sendAt": wire_time(new)}
    assert desk.wakes == before + 1
    first, second = [await (await desk.get(f"/voice/1/calls/4179302670{n}")).json() for n in (1, 2)]
    assert (first["sendAt"], first["expiresAt"]) == (wire_time(new), wire_time(new + 2 * DAY))
    assert second["sendAt"] == wire_time(new + timedelta(minutes=1))
    assert await desk.dial(later=4 * DAY - timedelta(minutes=1)) == []
    assert [claim.message.id for claim in await desk.dial(later=4 * DAY)] == ["41793026701"]


async def test_a_bulk_that_is_brought_forward_is_called_now(desk: Desk) -> None:
    await send(desk, "41793026701", at=datetime.now(UTC) + DAY)
    answer = await desk.put("/tts/3/bulks", {"sendAt": "2020-01-01T00:00:00Z"}, bulkId="bulk")
    assert answer.status == 200
    assert len(await desk.dial()) == 1
    late = await desk.put("/tts/3/bulks", {"sendAt": wire_time(datetime.now(UTC) + DAY)}, bulkId="bulk")
    assert late.status == 409
    assert (await late.json())["requestError"]["serviceException"]["messageId"] == "BULK_OVER"


async def test_a_paused_bulk_is_not_dialled_before_it_is_resumed(desk: Desk) -> None:
    await send(desk, "41793026701", "41793026702")
    assert await change(desk, "PAUSED") == "PAUSED"
    assert await change(desk, "paused") == "PAUSED"
    assert await desk.dial() == []
    assert (await state(desk, "41793026701"))[0] == "paused"
    before = desk.wakes
    assert await change(desk, "PENDING") == "PENDING"
    assert desk.wakes == before + 1
    assert len(await desk.dial()) == 2


async def test_a_paused_bulk_is_not_dialled_by_a_retry_either(desk: Desk) -> None:
    await send(desk, "41793026701")
    (claim,) = await desk.dial()
    await change(desk, "PAUSED")
    await fail(desk, claim, datetime.now(UTC))
    assert await desk.dial(later=DAY) == []
    assert await change(desk, "PROCESSING") == "PROCESSING"
    assert [claim.attempt.number for claim in await desk.dial(later=timedelta(hours=1))] == [2]


async def test_a_paused_claim_that_is_given_back_is_not_dialled(desk: Desk) -> None:
    await send(desk, "41793026701")
    (claim,) = await desk.dial()
    await change(desk, "PAUSED")
    await desk.store.calls.release(claim.key, claim.attempt.id)
    assert await desk.dial() == []


async def test_a_paused_bulk_can_be_rescheduled_and_expires(desk: Desk) -> None:
    await send(desk, "41793026701")
    await change(desk, "PAUSED")
    later = datetime.now(UTC) + DAY
    assert (await desk.put("/tts/3/bulks", {"sendAt": wire_time(later)}, bulkId="bulk")).status == 200
    assert await status(desk) == "PAUSED"
    ended = await desk.store.messages.expire(now=later + 2 * DAY, status_id=15, error_id=5408, limit=10)
    assert (ended, await status(desk)) == (1, "FINISHED")


async def test_a_canceled_bulk_is_never_dialled_and_reports_each_message(desk: Desk) -> None:
    await send(desk, *(f"4179302670{n}" for n in range(4)))
    done, live, busy, *_ = await desk.dial()
    await desk.store.calls.release(_[0].key, _[0].attempt.id)
    await desk.finish(done)
    await fail(desk, busy, datetime.now(UTC))
    assert await change(desk, "CANCELED") == "CANCELED"
    assert desk.cancellations == 1
    assert await desk.store.calls.canceled("here") == [live.attempt.id]
    assert await desk.dial(later=DAY) == []
    for message in (busy.message, _[0].message):
        assert await state(desk, message.id) == ("done", "UNDELIVERABLE_NOT_DELIVERED", 5487)
    assert await state(desk, done.message.id) == ("done", "DELIVERED_TO_HANDSET", 5000)
    reports = (await (await desk.get("/tts/3/reports")).json())["results"]
    assert len({report["messageId"] for report in reports}) == len(reports) == 3
    assert await change(desk, "CANCELED") == "CANCELED"


async def test_a_call_that_ends_after_its_bulk_was_canceled_is_not_made_again(desk: Desk) -> None:
    await send(desk, "41793026701", "41793026702")
    live, unplaced = await desk.dial()
    await change(desk, "CANCELED")
    await fail(desk, live, datetime.now(UTC))
    await desk.store.calls.release(unplaced.key, unplaced.attempt.id)
    assert await desk.dial(later=DAY) == []
    assert await state(desk, live.message.id) == ("done", "EXPIRED_EXPIRED", 5002)
    assert await state(desk, unplaced.message.id) == ("done", "UNDELIVERABLE_NOT_DELIVERED", 5487)
    assert len((await (await desk.get("/tts/3/reports")).json())["results"]) == 2


@pytest.mark.parametrize("over", ["finished", "canceled"])
async def test_a_bulk_that_is_over_cannot_be_changed(desk: Desk, over: str) -> None:
    await send(desk, "41793026701")
    if over == "finished":
        await desk.finish_all()
    else:
        await change(desk, "CANCELED")
    for wanted in ("PENDING", "PAUSED", *(["CANCELED"] if over == "finished" else [])):
        answer = await desk.put("/tts/3/bulks/status", {"status": wanted}, bulkId="bulk")
        assert answer.status == 409
        assert (await answer.json())["requestError"]["serviceException"]["messageId"] == "BULK_OVER"
    later = wire_time(datetime.now(UTC) + DAY)
    assert (await desk.put("/tts/3/bulks", {"sendAt": later}, bulkId="bulk")).status == 409
    assert await status(desk) == over.upper()


@pytest.mark.parametrize("path", ["/tts/3/bulks", "/tts/3/bulks/status"])
async def test_an_unknown_bulk_or_somebody_elses_is_not_found(desk: Desk, path: str) -> None:
    await send(desk, "41793026701")
    body = {"status": "CANCELED", "sendAt": "2020-01-01T00:00:00Z"}
    assert (await desk.get(path, bulkId="unknown")).status == 404
    assert (await desk.put(path, body, bulkId="unknown")).status == 404
    assert (await desk.get(path, key="the-other-key", bulkId="bulk")).status == 404
    assert (await desk.put(path, body, key="the-other-key", bulkId="bulk")).status == 404
    assert await status(desk) == "PENDING"
    assert (await desk.get(path)).status == 400


@pytest.mark.parametrize(
    ("path", "body", "member"),
    [
        ("/tts/3/bulks/status", {}, "status"),
        ("/tts/3/bulks/status", {"status": "FINISHED"}, "status"),
        ("/tts/3/bulks/status", {"status": 1}, "status"),
        ("/tts/3/bulks", {}, "sendAt"),
        ("/tts/3/bulks", {"sendAt": "soon"}, "sendAt"),
        ("/tts/3/bulks", {"sendAt": "2999-01-01T00:00:00Z"}, "sendAt"),
    ],
)
async def test_a_change_that_breaks_a_rule_is_refused_by_name(desk: Desk, path: str, body: Any, member: str) -> None:
    await send(desk, "41793026701")
    answer = await desk.put(path, body, bulkId="bulk")
    assert answer.status == 400
    assert list((await answer.json())["requestError"]["serviceException"]["validationErrors"]) == [member]
    assert await status(desk) == "PENDING"


async def test_a_message_waits_for_its_window(desk: Desk) -> None:
    now = datetime.now(UTC)
    closed = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"][(now + DAY).weekday()]
    await send(desk, "41793026701", deliveryTimeWindow={"days": [closed]})
    assert await state(desk, "41793026701") == ("queued", "PENDING_TIME_VIOLATION", 0)
    assert await desk.dial() == []
    (claim,) = await desk.dial(later=DAY)
    assert claim.message.id == "41793026701"
    assert (await state(desk, "41793026701"))[1] == "PENDING_ACCEPTED"

"""Where a message stands, its CDR, and its report that is handed out once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.messages.progress import State
from bridge.reports.members import wire_time

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

GOOD = {"from": "38515507799", "to": "41793026727", "text": "Hello"}


async def told(desk: Desk, path: str, **query: str) -> Any:
    answer = await desk.get(path, **query)
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def test_a_message_is_followed_from_queued_to_done(desk: Desk) -> None:
    token = (await desk.sent(GOOD))["messages"][0]["token"]
    waiting = await told(desk, f"/voice/1/calls/{token}")
    assert (waiting["state"], waiting["attempt"], waiting["dialledAt"]) == ("queued", 0, None)
    assert waiting["status"]["name"] == "PENDING_ACCEPTED"
    (claim,) = await desk.dial()
    dialling = await told(desk, f"/voice/1/calls/{token}")
    assert (dialling["state"], dialling["attempt"]) == ("dialling", 1)
    assert dialling["dialledAt"] is not None
    rang_at = claim.attempt.dialled_at + timedelta(seconds=1)
    await desk.store.calls.move(claim.key, claim.attempt.id, State.RINGING, rang_at)
    ringing = await told(desk, f"/voice/1/calls/{token}")
    assert (ringing["state"], ringing["ringingAt"], ringing["answeredAt"]) == ("ringing", wire_time(rang_at), None)
    await desk.store.calls.move(claim.key, claim.attempt.id, State.IN_PROGRESS, rang_at + timedelta(seconds=2))
    talking = await told(desk, f"/voice/1/calls/{token}")
    assert (talking["state"], talking["endedAt"]) == ("in-progress", None)
    assert talking["ringingAt"] < talking["answeredAt"]
    await desk.finish(claim)
    done = await told(desk, f"/voice/1/calls/{token}")
    assert (done["state"], done["status"]["name"], done["error"]["id"]) == ("done", "DELIVERED_TO_HANDSET", 5000)
    assert done["dialledAt"] < done["ringingAt"] < done["answeredAt"] < done["endedAt"] == done["doneAt"]


async def test_with_a_bulks_token_messages_are_counted_by_state(desk: Desk) -> None:
    token = (await desk.sent({**GOOD, "to": ["41793026727", "41793026728", "41793026729"]}))["token"]
    claim, *_ = await desk.dial()
    await desk.finish(claim)
    assert await told(desk, f"/voice/1/calls/{token}") == {
        "token": token,
        "bulkId": token,
        "messages": 3,
        "states": {"queued": 0, "paused": 0, "dialling": 2, "ringing": 0, "in-progress": 0, "done": 1},
    }


async def test_a_bulk_of_one_message_has_its_cdr_and_a_larger_one_has_none(desk: Desk) -> None:
    one = await desk.sent(GOOD)
    two = await desk.sent({**GOOD, "to": ["41793026727", "41793026728"]})
    await desk.finish_all()
    record = await told(desk, f"/voice/1/calls/{one['token']}/cdr")
    assert record["token"] == one["messages"][0]["token"]
    assert [attempt["attempt"] for attempt in record["attempts"]] == [1]
    assert (await desk.get(f"/voice/1/calls/{two['token']}/cdr")).status == 404


async def test_the_cdr_comes_when_the_call_is_over(desk: Desk) -> None:
    token = (await desk.sent(GOOD))["messages"][0]["token"]
    early = await desk.get(f"/voice/1/calls/{token}/cdr")
    assert early.status == 409
    exception = (await early.json())["requestError"]["serviceException"]
    assert (exception["messageId"], "queued" in exception["text"]) == ("CALL_NOT_FINISHED", True)
    await desk.finish_all()
    record = await told(desk, f"/voice/1/calls/{token}/cdr")
    assert (record["messageId"], record["to"], record["status"]["id"]) == (token, "41793026727", 5)
    (attempt,) = record["attempts"]
    assert (attempt["attempt"], attempt["ringSeconds"], attempt["callSeconds"]) == (1, 2.0, 3.2)
    assert (attempt["billableSeconds"], attempt["cause"], attempt["sipStatus"]) == (4, 16, 200)
    (spoken,) = attempt["spoken"]
    assert spoken == {
        "at": attempt["answeredAt"],
        "engine": "espeak-ng",
        "voice": "en",
        "seconds": 3.2,
        "cached": False,
    }


@pytest.mark.parametrize("path", ["/voice/1/calls/nothing", "/voice/1/calls/nothing/cdr", "/voice/1/calls/%00%0A"])
async def test_an_unknown_token_is_a_404(desk: Desk, path: str) -> None:
    answer = await desk.get(path)
    assert answer.status == 404
    assert (await answer.json())["requestError"]["serviceException"]["messageId"] == "NOT_FOUND"


async def test_ids_of_the_application_work_as_tokens_whatever_is_in_them(desk: Desk) -> None:
    name = "order/7 ?ž"
    body = {"messages": [{"destinations": [{"to": "41793026727", "messageId": name}], "text": "Hello"}]}
    await desk.sent(body, "/tts/3/advanced")
    assert (await told(desk, "/voice/1/calls/order%2F7%20%3F%C5%BE"))["messageId"] == name


@pytest.mark.parametrize("path", ["/tts/3/reports", "/voice/1/reports"])
async def test_each_report_is_handed_out_once(desk: Desk, path: str) -> None:
    sent = await desk.sent({**GOOD, "to": [f"4179302672{n}" for n in range(5)]})
    assert await told(desk, path) == {"results": []}
    await desk.finish_all()
    first = (await told(desk, path, limit="2"))["results"]
    rest = (await told(desk, path))["results"]
    assert (len(first), len(rest)) == (2, 3)
    handed_out = {report["messageId"] for report in [*first, *rest]}
    assert handed_out == {message["messageId"] for message in sent["messages"]}
    assert await told(desk, path) == {"results": []}


async def test_clients_that_ask_at_the_same_moment_share_the_reports(desk: Desk) -> None:
    await desk.sent({**GOOD, "to": [f"417930267{n:02}" for n in range(60)]})
    await desk.finish_all()
    answers = await asyncio.gather(*(told(desk, "/tts/3/reports", limit="10") for _ in range(8)))
    handed_out = [report["messageId"] for answer in answers for report in answer["results"]]
    assert len(handed_out) == len(set(handed_out)) == 60


async def test_reports_of_one_bulk_or_one_message_can_be_asked_for(desk: Desk) -> None:
    one = await desk.sent(GOOD)
    other = await desk.sent(GOOD)
    await desk.finish_all()
    token = one["messages"][0]["messageId"]
    by_message = (await told(desk, "/tts/3/reports", messageId=token))["results"]
    by_bulk = (await told(desk, "/voice/1/reports", bulkId=other["bulkId"]))["results"]
    assert [report["messageId"] for report in by_message] == [token]
    assert [report["messageId"] for report in by_bulk] == [other["messages"][0]["messageId"]]


async def test_a_look_at_the_headers_takes_no_reports(desk: Desk) -> None:
    await desk.sent(GOOD)
    await desk.finish_all()
    answer = await desk.client.head("/tts/3/reports", headers={"Authorization": "App the-key"})
    assert answer.status == 405
    assert len((await told(desk, "/tts/3/reports"))["results"]) == 1

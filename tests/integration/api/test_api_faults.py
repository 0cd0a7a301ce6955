"""Faults of ours: the client learns that it was one, and nothing private gets out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from bridge.base.logs import only_what_may_be_said
from bridge.messages.message import Bulk

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

PRIVATE = {"from": "38515507799", "to": "41793026727", "text": "Your PIN is 4711"}


async def test_a_store_that_is_away_is_a_503_that_shows_nothing(desk: Desk) -> None:
    with desk.store._database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE messages RENAME TO lost")
    with capture_logs(processors=[only_what_may_be_said]) as logs:
        answer = await desk.post("/tts/3/single", PRIVATE)
    assert answer.status == 503
    exception = (await answer.json())["requestError"]["serviceException"]
    assert exception["messageId"] == "STORE_FAILED"
    assert "messages" not in exception["text"]
    assert desk.wakes == 0
    assert [line["event"] for line in logs] == ["store_failed"]
    assert "4711" not in str(logs)


async def test_an_unforeseen_fault_is_a_500_whose_place_is_logged_without_words(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(bulk: Bulk) -> None:
        (message,) = bulk.messages
        raise RuntimeError(f"cannot call {message.to} to say: {message.content.text}")

    monkeypatch.setattr(desk.store.messages, "accept", broken)
    with capture_logs(processors=[only_what_may_be_said]) as logs:
        answer = await desk.post("/tts/3/single", PRIVATE)
    assert answer.status == 500
    exception = (await answer.json())["requestError"]["serviceException"]
    assert exception["messageId"] == "GENERAL_ERROR"
    (line,) = logs
    assert (line["event"], line["error"]) == ("request_failed", "RuntimeError")
    assert "sending.py" in line["where"]
    for private in ("4711", "41793026727", "the-key"):
        assert private not in str(logs)
        assert private not in str(exception)

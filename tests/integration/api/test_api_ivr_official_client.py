"""The IVR methods of the official Python client, with nothing changed but host and key."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from infobip_api_client import (
    CallsDestination,
    CallsIvrMessage,
    CallsLaunchScenarioRequest,
    CallsRetry,
    CallsUpdateScenarioRequest,
    DeliveryDay,
    DeliveryTime,
    DeliveryTimeWindow,
)
from infobip_api_client.exceptions import BadRequestException, NotFoundException

from bridge.messages.attempt import Collected
from bridge.messages.recording import new_recording

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

pytestmark = pytest.mark.any_database

SCRIPT = [{"say": "Hello, ${name}."}, {"collectInto": "v"}, {"record": 10}, "hangup"]
SURVEY = CallsUpdateScenarioRequest(
    name="Survey", description="For tests", notify_content_type="application/json", record=False,
    script=json.dumps(SCRIPT),
)  # fmt: skip


async def test_a_scenario_is_created_read_found_updated_and_deleted(voice: Callable[..., Any]) -> None:
    created = await voice("create_a_voice_ivr_scenario", SURVEY)
    assert json.loads(created.script) == SCRIPT
    assert created.create_time.tzinfo is not None
    assert await voice("get_a_voice_ivr_scenario", created.id) == created

    found = await voice(
        "search_voice_ivr_scenarios", page=1, page_size=10, name="surv",
    )  # fmt: skip
    assert [(scenario.id, scenario.name) for scenario in found] == [(created.id, "Survey")]
    today = datetime.now(UTC).date()
    assert await voice("search_voice_ivr_scenarios", last_usage_date_since=today, last_usage_date_until=today) == []

    changed = SURVEY.model_copy(update={"name": "Menu", "script": '["hangup"]'})
    updated = await voice("update_voice_ivr_scenario", created.id, changed)
    assert (updated.id, updated.name, json.loads(updated.script)) == (created.id, "Menu", ["hangup"])

    await voice("delete_a_voice_ivr_scenario", created.id)
    with pytest.raises(NotFoundException):
        await voice("get_a_voice_ivr_scenario", created.id)


async def test_a_script_that_is_refused_is_the_clients_bad_request(voice: Callable[..., Any]) -> None:
    with pytest.raises(BadRequestException) as refused:
        await voice("create_a_voice_ivr_scenario", SURVEY.model_copy(update={"script": '[{"dial": "dial"}]'}))
    assert "script[0].dial" in str(refused.value.body)


async def test_a_launch_comes_back_as_a_report_and_a_recorded_file(voice: Callable[..., Any], desk: Desk) -> None:
    created = await voice("create_a_voice_ivr_scenario", SURVEY)
    message = CallsIvrMessage(
        scenario_id=created.id,
        **{"from": "41793026700"},
        destinations=[CallsDestination(to="41793026727", message_id="mine-1")],
        parameters={"name": "Ana"},
        callback_data="DLR callback data",
        validity_period=720,
        send_at=datetime(2026, 1, 1, tzinfo=UTC),
        retry=CallsRetry(min_period=1, max_period=5, max_count=5),
        ring_timeout=45,
        pause=1,
        call_timeout=130,
        delivery_time_window=DeliveryTimeWindow(
            days=list(DeliveryDay), **{"from": DeliveryTime(hour=0, minute=0)}, to=DeliveryTime(hour=23, minute=59)
        ),
    )
    body = CallsLaunchScenarioRequest(bulk_id="BULK-ID-1", messages=[message])
    sent = await voice("send_voice_messages_with_an_ivr_scenario", body)
    assert (sent.bulk_id, sent.messages[0].message_id) == ("BULK-ID-1", "mine-1")
    assert sent.messages[0].status.name == "PENDING_ACCEPTED"

    (claim,) = await desk.dial()
    now = claim.attempt.dialled_at
    recording = new_recording(claim.attempt.id, "action", now, "#/script/2")
    await desk.store.recordings.begin("acme", claim.key, recording)
    desk.recordings.folder.mkdir()
    desk.recordings.path(recording).write_bytes(bytes(44 + 16_000))
    await desk.store.recordings.finish(await desk.recordings.finished(recording, 1))
    attempt = replace(
        claim.attempt, answered_at=now, ended_at=now, status_id=5, error_id=5000, collected=[Collected("v", "3")]
    )
    await desk.store.calls.finish(claim.key, attempt, status_id=5, error_id=5000, done_at=now)

    (report,) = (await voice("get_voice_delivery_reports", bulk_id="BULK-ID-1")).results
    assert report.voice_call.ivr.scenario_id == created.id
    assert json.loads(report.voice_call.ivr.collected_dtmfs) == {"v": "3"}
    (file,) = (await voice("search_voice_ivr_recorded_files", page=1, page_size=10, message_id="mine-1")).files
    assert (file.scenario_id, file.group_id, file.to) == (created.id, "#/script/2", "41793026727")
    audio = await voice("download_voice_ivr_recorded_file", file.url.rsplit("/", 1)[1])
    assert bytes(audio) == bytes(44 + 16_000)
    (used,) = await voice("search_voice_ivr_scenarios", last_usage_date_since=datetime.now(UTC).date())
    assert used.last_usage_date is not None

"""The official Python client, unmodified but for host and key: every method of its VoiceApi, real calls behind it."""

from __future__ import annotations

import asyncio
import io
import json
import wave
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from inspect import getmembers, isfunction
from typing import Any
from uuid import uuid4

import pytest
from infobip_api_client import (
    ApiClient,
    CallsAdvancedBody,
    CallsAdvancedMessage,
    CallsBulkRequest,
    CallsBulkStatus,
    CallsDestination,
    CallsIvrMessage,
    CallsLaunchScenarioRequest,
    CallsMultiBody,
    CallsMultiMessage,
    CallsSingleBody,
    CallsUpdateScenarioRequest,
    CallsUpdateStatusRequest,
    Configuration,
    VoiceApi,
)
from infobip_api_client.exceptions import NotFoundException

from tests.e2e.running_lab import RunningLab, until_is

Voice = Callable[..., Awaitable[Any]]

CALLER = {"from": "41793026700"}
USED: set[str] = set()


@pytest.fixture
def voice(lab: RunningLab) -> Iterator[Voice]:
    """Calls a method of the official client, off the event loop."""
    key = lab.headers["Authorization"].removeprefix("App ")
    client = ApiClient(Configuration(host=lab.url, api_key=key))
    api = VoiceApi(client)

    async def call(method: str, *arguments: Any, **named: Any) -> Any:
        USED.add(method)
        return await asyncio.to_thread(getattr(api, method), *arguments, **named)

    yield call
    client.rest_client.pool_manager.clear()


async def reports_of(voice: Voice, bulk_id: str, count: int) -> list[Any]:
    """The delivery reports of a bulk, once all are there; each is handed out once."""
    taken: list[Any] = []

    async def all_of_them() -> bool:
        taken.extend((await voice("get_voice_delivery_reports", bulk_id=bulk_id)).results)
        return len(taken) == count

    await until_is(all_of_them, 40)
    return taken


async def test_single_multi_and_their_reports_and_logs(voice: Voice) -> None:
    body = CallsSingleBody(**CALLER, to="9990030001", text="Good morning.", language="en")
    single = await voice("send_single_voice_tts", body)
    multi = await voice(
        "send_multiple_voice_tts",
        CallsMultiBody(
            messages=[
                CallsMultiMessage(**CALLER, to=["9990030002", "9990130003"], text="Good day."),
                CallsMultiMessage(**CALLER, to=["9990030004"], text="Guten Tag.", language="de"),
            ]
        ),
    )
    (report,) = await reports_of(voice, single.bulk_id, 1)
    assert (report.status.name, report.error.name) == ("DELIVERED_TO_HANDSET", "VOICE_ANSWERED")
    assert report.voice_call.duration >= 1

    errors = {report.to: report.error.name for report in await reports_of(voice, multi.bulk_id, 3)}
    assert errors == {
        "9990030002": "VOICE_ANSWERED",
        "9990130003": "EC_VOICE_USER_BUSY",
        "9990030004": "VOICE_ANSWERED",
    }
    logs = (await voice("get_sent_voice_logs", bulk_id=[single.bulk_id, multi.bulk_id])).results
    assert {log.to for log in logs} == {"9990030001", *errors}
    assert (await voice("get_voice_delivery_reports", bulk_id=multi.bulk_id)).results == []


async def test_a_bulk_is_scheduled_moved_paused_and_cancelled_and_never_rings(voice: Voice, lab: RunningLab) -> None:
    bulk_id, later = f"bulk-{uuid4()}", datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    message = CallsAdvancedMessage(
        **CALLER,
        destinations=[CallsDestination(to="9990030101"), CallsDestination(to="9990030102")],
        text="Good evening.",
        language="en",
        send_at=later,
    )
    sent = await voice("send_advanced_voice_tts", CallsAdvancedBody(bulk_id=bulk_id, messages=[message]))
    assert sent.bulk_id == bulk_id
    assert (await voice("get_sent_bulks", bulk_id)).send_at == later

    moved = later + timedelta(hours=1)
    assert (await voice("reschedule_sent_bulk", bulk_id, CallsBulkRequest(send_at=moved))).send_at == moved
    assert (await voice("get_sent_bulks_status", bulk_id)).status == CallsBulkStatus.PENDING
    for status in (CallsBulkStatus.PAUSED, CallsBulkStatus.PENDING, CallsBulkStatus.CANCELED):
        managed = await voice("manage_sent_bulks_status", bulk_id, CallsUpdateStatusRequest(status=status))
        assert managed.status == status
    assert len(await reports_of(voice, bulk_id, 2)) == 2
    assert lab.calls("9990030101") + lab.calls("9990030102") == []


async def test_voices_of_a_language(voice: Voice) -> None:
    voices = (await voice("get_voices", "en")).voices
    assert "Joanna" in {one.name for one in voices}
    assert [one.name for one in voices if one.is_default] == ["Joanna"]


async def test_a_scenario_runs_on_a_call_and_its_recording_comes_back(voice: Voice, lab: RunningLab) -> None:
    script = [
        {"say": "Hello ${name}. Enter your code."},
        {"collectInto": "code", "options": {"maxInputLength": 2, "timeout": 5}},
        {"record": 2, "options": {"maxSilence": 2}},
        {"say": "Thank you."},
        "hangup",
    ]
    wanted = CallsUpdateScenarioRequest(
        name="Survey", description="For tests", record=False, notify_content_type="application/json",
        script=json.dumps(script),
    )  # fmt: skip
    created = await voice("create_a_voice_ivr_scenario", wanted)
    assert (await voice("get_a_voice_ivr_scenario", created.id)).name == "Survey"
    renamed = wanted.model_copy(update={"name": "Survey two"})
    assert (await voice("update_voice_ivr_scenario", created.id, renamed)).name == "Survey two"
    found = await voice("search_voice_ivr_scenarios", name="Survey two")
    assert created.id in [scenario.id for scenario in found]

    # This telephone presses 4 and 2, four seconds after the answer, and then talks.
    message = CallsIvrMessage(
        scenario_id=created.id,
        **CALLER,
        destinations=[CallsDestination(to="99922404299001")],
        parameters={"name": "Ana"},
    )
    sent = await voice("send_voice_messages_with_an_ivr_scenario", CallsLaunchScenarioRequest(messages=[message]))
    (report,) = await reports_of(voice, sent.bulk_id, 1)
    assert report.error.name == "VOICE_ANSWERED"
    assert report.voice_call.ivr.scenario_name == "Survey two"
    assert json.loads(report.voice_call.ivr.collected_dtmfs) == {"code": "42"}

    message_id = sent.messages[0].message_id

    async def recorded() -> list[Any]:
        files: list[Any] = (await voice("search_voice_ivr_recorded_files", message_id=message_id)).files
        return files

    (file,) = await until_is(recorded)
    audio = bytes(await voice("download_voice_ivr_recorded_file", file.url.rsplit("/", 1)[1]))
    with wave.open(io.BytesIO(audio)) as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (8000, 2, 1)
        assert 1.5 < sound.getnframes() / 8000 < 2.5

    await voice("delete_a_voice_ivr_scenario", created.id)
    with pytest.raises(NotFoundException):
        await voice("get_a_voice_ivr_scenario", created.id)


def test_no_method_of_the_client_was_left_out() -> None:
    """Runs last: the tests above have used them all."""
    methods = {
        name
        for name, _ in getmembers(VoiceApi, isfunction)
        if not name.startswith("_") and not name.endswith(("_with_http_info", "_without_preload_content"))
    }
    assert len(methods) == 18
    assert methods <= USED

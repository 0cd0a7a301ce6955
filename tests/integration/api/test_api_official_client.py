"""The official Python client, with nothing changed but host and key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from infobip_api_client import (
    CallsAdvancedBody,
    CallsAdvancedMessage,
    CallsBulkRequest,
    CallsBulkStatus,
    CallsDestination,
    CallsIpCoreGeneralStatus,
    CallsMultiBody,
    CallsMultiMessage,
    CallsRetry,
    CallsSendingSpeed,
    CallsSingleBody,
    CallsUpdateStatusRequest,
    CallsVoice,
    CallTransfer,
    DeliveryDay,
    DeliveryTime,
    DeliveryTimeWindow,
)
from infobip_api_client.exceptions import (
    BadRequestException,
    ConflictException,
    NotFoundException,
    UnauthorizedException,
)

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

pytestmark = pytest.mark.any_database

SINGLE = CallsSingleBody(
    **{"from": "38515507799"},
    to="41793026727",
    text="Test Voice message.",
    language="en",
    voice=CallsVoice(name="Joanna", gender="female"),
)


async def test_single_and_its_report(desk: Desk, voice: Callable[..., Any]) -> None:
    sent = await voice("send_single_voice_tts", SINGLE)
    assert sent.messages[0].to == "41793026727"
    assert sent.messages[0].status.name == "PENDING_ACCEPTED"
    await desk.finish_all()
    reports = (await voice("get_voice_delivery_reports", bulk_id=sent.bulk_id, limit=10)).results
    assert [report.message_id for report in reports] == [sent.messages[0].message_id]
    assert (reports[0].voice_call.duration, reports[0].voice_call.file_duration) == (4, 3.2)
    assert (reports[0].status.name, reports[0].error.permanent) == ("DELIVERED_TO_HANDSET", True)
    assert (await voice("get_voice_delivery_reports")).results == []


async def test_multi(voice: Callable[..., Any]) -> None:
    body = CallsMultiBody(
        messages=[
            CallsMultiMessage(to=["41793026727", "41793026728"], text="one"),
            CallsMultiMessage(to=["41793026729"], text="two", language="de"),
        ]
    )
    sent = await voice("send_multiple_voice_tts", body)
    assert [message.to for message in sent.messages] == ["41793026727", "41793026728", "41793026729"]


async def test_advanced_with_everything_the_client_knows(desk: Desk, voice: Callable[..., Any]) -> None:
    message = CallsAdvancedMessage(
        **{"from": "41793026700"},
        destinations=[CallsDestination(to="41793026727", message_id="mine-1"), CallsDestination(to="41793026728")],
        text="Hello, press 1",
        language="en",
        voice=CallsVoice(name="Joanna", gender="female"),
        speech_rate=1,
        notify_url="https://www.example.com/voice/advanced",
        notify_content_type="application/json",
        notify_content_version=2,
        callback_data="DLR callback data",
        validity_period=720,
        send_at=datetime(2026, 1, 1, tzinfo=UTC),
        repeat_dtmf="123#",
        max_dtmf=1,
        dtmf_timeout=10,
        ring_timeout=45,
        call_timeout=130,
        pause=1,
        machine_detection="hangup",
        retry=CallsRetry(min_period=1, max_period=5, max_count=3),
        sending_speed=CallsSendingSpeed(speed=100, time_unit="minute"),
        delivery_time_window=DeliveryTimeWindow(
            days=[DeliveryDay.MONDAY], **{"from": DeliveryTime(hour=6, minute=0)}, to=DeliveryTime(hour=15, minute=30)
        ),
        call_transfers=[
            CallTransfer(**{"if": "dtmf"}, equals="1", transfer_to="41793026701", call_transfer_max_duration=45)
        ],
    )
    sent = await voice("send_advanced_voice_tts", CallsAdvancedBody(bulk_id="BULK-ID-1", messages=[message]))
    assert sent.bulk_id == "BULK-ID-1"
    assert sent.messages[0].message_id == "mine-1"
    kept = await desk.store.messages.progress("acme", "mine-1")
    assert kept is not None
    assert kept.message.content.machine_detection == "hangup"
    assert kept.message.content.call_transfers[0]["callTransferMaxDuration"] == 45


async def test_a_bad_request_is_the_clients_bad_request(voice: Callable[..., Any]) -> None:
    with pytest.raises(BadRequestException) as refused:
        await voice("send_single_voice_tts", SINGLE.model_copy(update={"to": "nobody"}))
    assert "validationErrors" in str(refused.value.body)


async def test_a_wrong_key_is_the_clients_unauthorized(stranger: Callable[..., Any]) -> None:
    with pytest.raises(UnauthorizedException):
        await stranger("send_single_voice_tts", SINGLE)


async def test_logs(desk: Desk, voice: Callable[..., Any]) -> None:
    sent = await voice("send_single_voice_tts", SINGLE)
    for claim in await desk.dial(later=-timedelta(seconds=1)):
        await desk.finish(claim)
    everything = {
        "var_from": "38515507799",
        "to": "41793026727",
        "bulk_id": [sent.bulk_id, "another"],
        "message_id": [sent.messages[0].message_id, "another"],
        "general_status": CallsIpCoreGeneralStatus.DELIVERED,
        "sent_since": datetime.now(UTC) - timedelta(hours=1),
        "sent_until": datetime.now(UTC) + timedelta(hours=1),
        "limit": 10,
    }
    for filters in ({}, everything):
        (entry,) = (await voice("get_sent_voice_logs", **filters)).results
        assert (entry.text, entry.duration, entry.status.name) == ("Test Voice message.", 4, "DELIVERED_TO_HANDSET")
        assert entry.sent_at < entry.done_at
    assert (await voice("get_sent_voice_logs", mcc="228", mnc="01")).results == []


async def test_a_bulk_is_rescheduled_paused_and_canceled(desk: Desk, voice: Callable[..., Any]) -> None:
    later = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    message = CallsAdvancedMessage(
        **{"from": "41793026700"}, destinations=[CallsDestination(to="41793026727")], text="Hello", send_at=later
    )
    await voice("send_advanced_voice_tts", CallsAdvancedBody(bulk_id="BULK-ID-1", messages=[message]))
    assert (await voice("get_sent_bulks", "BULK-ID-1")).send_at == later
    moved = later + timedelta(days=1, milliseconds=5)
    assert (await voice("reschedule_sent_bulk", "BULK-ID-1", CallsBulkRequest(send_at=moved))).send_at == moved
    assert (await voice("get_sent_bulks_status", "BULK-ID-1")).status is CallsBulkStatus.PENDING
    for wanted in (CallsBulkStatus.PAUSED, CallsBulkStatus.PENDING, CallsBulkStatus.CANCELED):
        changed = await voice("manage_sent_bulks_status", "BULK-ID-1", CallsUpdateStatusRequest(status=wanted))
        assert (changed.bulk_id, changed.status) == ("BULK-ID-1", wanted)
    with pytest.raises(ConflictException):
        await voice("reschedule_sent_bulk", "BULK-ID-1", CallsBulkRequest(send_at=moved))
    with pytest.raises(NotFoundException):
        await voice("get_sent_bulks", "BULK-ID-2")


async def test_voices(voice: Callable[..., Any]) -> None:
    listed = (await voice("get_voices", "en", include_neural=True)).voices
    assert [each.name for each in listed if each.is_default] == ["Joanna"]
    with pytest.raises(NotFoundException):
        await voice("get_voices", "tlh")

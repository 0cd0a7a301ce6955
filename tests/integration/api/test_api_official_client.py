"""The official Python client, with nothing changed but host and key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from infobip_api_client import (
    ApiClient,
    CallsAdvancedBody,
    CallsAdvancedMessage,
    CallsDestination,
    CallsMultiBody,
    CallsMultiMessage,
    CallsRetry,
    CallsSendingSpeed,
    CallsSingleBody,
    CallsVoice,
    CallTransfer,
    Configuration,
    DeliveryDay,
    DeliveryTime,
    DeliveryTimeWindow,
    VoiceApi,
)
from infobip_api_client.exceptions import BadRequestException, UnauthorizedException

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk


@pytest.fixture
def voice(desk: Desk) -> Iterator[Callable[..., Any]]:
    """Calls a method of the client beside the event loop, which serves it."""
    yield from _voice(desk, "the-key")


@pytest.fixture
def stranger(desk: Desk) -> Iterator[Callable[..., Any]]:
    yield from _voice(desk, "a-wrong-key")


def _voice(desk: Desk, key: str) -> Iterator[Callable[..., Any]]:
    url = str(desk.client.make_url("")).rstrip("/")
    configuration = Configuration(host=url, api_key=key)
    client = ApiClient(configuration)
    api = VoiceApi(client)
    yield lambda method, *args, **kwargs: asyncio.to_thread(getattr(api, method), *args, **kwargs)
    client.rest_client.pool_manager.clear()


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
    kept = await desk.store.progress("acme", "mine-1")
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

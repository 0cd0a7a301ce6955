"""From a request that keeps the rules to orders, which the messages room expands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bridge.api.messages.advanced import AdvancedMessage, AdvancedRequest
from bridge.api.messages.delivery import Campaign, SpeedMember, Terms
from bridge.api.messages.utterance import SimpleMessage, Utterance
from bridge.messages.expansion import LONGEST_VALIDITY, Destination, Order
from bridge.messages.message import Content, Notify

_LONGEST_VALIDITY_MINUTES = LONGEST_VALIDITY // timedelta(minutes=1)

_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}


def simple_order(message: SimpleMessage) -> Order:
    """What ``single``, or one message of ``multi``, asks for."""
    return Order(
        content=Content(**utterance(message)),
        destinations=[Destination(number) for number in message.to],
        sender=message.sender,
    )


def advanced_orders(request: AdvancedRequest) -> list[Order]:
    """What ``advanced`` asks for."""
    return [
        campaign_order(message, message.sender, _advanced_content(message, request)) for message in request.messages
    ]


def campaign_order(message: Campaign, sender: str | None, content: Content) -> Order:
    """Content that goes to the destinations of a message, when it says."""
    return timed_order(message, sender, content, message.destinations)


def timed_order(message: Terms, sender: str | None, content: Content, destinations: Sequence[Destination]) -> Order:
    """Content that goes to these destinations when a message says."""
    return Order(
        content=content,
        destinations=destinations,
        sender=sender,
        send_at=message.send_at,
        validity=_validity(message.validity_period),
        gap=_gap(message.sending_speed),
    )


def utterance(message: Utterance) -> dict[str, Any]:
    """The members of `Content` that say what is to be heard."""
    return {
        "text": message.text,
        "audio_url": message.audio_file_url,
        "language": message.language,
        "voice": message.voice.name,
        "gender": message.voice.gender,
        "speech_rate": message.speech_rate,
        "sensitive": message.sensitive,
    }


def terms(message: Terms) -> dict[str, Any]:
    """The members of `Content` that say when and how is called, and who is told."""
    return {
        "pause": message.pause,
        "record": message.record,
        "ring_timeout": message.ring_timeout,
        "call_timeout": message.call_timeout,
        "retry": None if message.retry is None else message.retry.policy,
        "window": None if message.delivery_time_window is None else message.delivery_time_window.window,
        "notify": _notify(message),
        "callback_data": message.callback_data,
    }


def _advanced_content(message: AdvancedMessage, request: AdvancedRequest) -> Content:
    return Content(
        **utterance(message),
        **terms(message),
        repeat_dtmf=message.repeat_dtmf,
        max_dtmf=message.max_dtmf,
        dtmf_timeout=message.dtmf_timeout,
        machine_detection=message.machine_detection,
        call_transfers=message.call_transfers,
        actions=request.actions if message.actions is None else message.actions,
        action_groups=request.action_groups if message.action_groups is None else message.action_groups,
    )


def _notify(message: Terms) -> Notify | None:
    if message.notify_url is None:
        return None
    return Notify(message.notify_url, message.notify_content_type, message.notify_content_version)


def _validity(minutes: int | None) -> timedelta | None:
    return None if minutes is None else timedelta(minutes=min(minutes, _LONGEST_VALIDITY_MINUTES))


def _gap(speed: SpeedMember | None) -> timedelta | None:
    return None if speed is None else _UNITS[speed.time_unit] / speed.speed

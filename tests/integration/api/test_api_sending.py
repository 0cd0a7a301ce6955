"""Sending: what is accepted, how it is answered, and what is kept of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.messages.message import Content, Message
from bridge.messages.progress import Progress

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

GOOD = {"from": "38515507799", "to": "41793026727", "text": "Hello"}


async def kept(desk: Desk, sent: Any) -> Message:
    """What the store has of the first message of an answer."""
    progress = await desk.store.messages.progress("acme", sent["messages"][0]["messageId"])
    assert isinstance(progress, Progress)
    return progress.message


async def test_the_answer_has_tokens_and_a_pending_status(desk: Desk) -> None:
    sent = await desk.sent(GOOD)
    (message,) = sent["messages"]
    assert sent["token"] == sent["bulkId"]
    assert message == {
        "to": "41793026727",
        "status": {
            "groupId": 1,
            "groupName": "PENDING",
            "id": 26,
            "name": "PENDING_ACCEPTED",
            "description": "Message accepted, pending for delivery.",
        },
        "messageId": message["token"],
        "token": message["messageId"],
    }
    assert desk.wakes == 1


async def test_what_was_asked_for_is_kept_before_the_answer(desk: Desk) -> None:
    message = await kept(desk, await desk.sent({**GOOD, "language": "HR", "text": "Dobar dan,,1,2"}))
    assert (message.to, message.sender) == ("41793026727", "38515507799")
    assert message.content == Content(text="Dobar dan,,1,2", language="hr")


async def test_one_text_may_go_to_several_numbers(desk: Desk) -> None:
    sent = await desk.sent({**GOOD, "to": ["41793026727", "+385 91 000 0001"]})
    assert [message["to"] for message in sent["messages"]] == ["41793026727", "385910000001"]
    assert len({message["messageId"] for message in sent["messages"]}) == 2


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"to": '["41793026727"]'}, Content(text="Hello")),
        ({"to": "+41793026727"}, Content(text="Hello")),
        ({"language": "pt-BR"}, Content(text="Hello", language="pt-br")),
        ({"language": "en_GB"}, Content(text="Hello", language="en-gb")),
        ({"language": None, "voice": None, "audioFileUrl": None, "from": ""}, Content(text="Hello")),
        ({"voice": {"name": "Joanna", "gender": ""}}, Content(text="Hello", voice="Joanna")),
        ({"voice": '{"name": "Joanna", "gender": "Female"}'}, Content(text="Hello", voice="Joanna", gender="female")),
        ({"speechRate": 9}, Content(text="Hello", speech_rate=2.0)),
        ({"speechRate": 0.1}, Content(text="Hello", speech_rate=0.5)),
        ({"sensitive": True}, Content(text="Hello", sensitive=True)),
        ({"notifyUrl": "x", "callbackData": 7, "unknown": {"deep": [1]}}, Content(text="Hello")),
    ],
)
async def test_single_takes_what_third_parties_send(desk: Desk, members: dict[str, Any], expected: Content) -> None:
    assert (await kept(desk, await desk.sent({**GOOD, **members}))).content == expected


async def test_a_body_without_content_type_or_with_a_byte_order_mark_is_read(desk: Desk) -> None:
    answer = await desk.client.post(
        "/tts/3/single",
        data=b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
        headers={"Authorization": "App the-key"},
        skip_auto_headers=["Content-Type"],
    )
    assert answer.status == 200, await answer.text()


async def test_multi_has_a_text_for_each_message(desk: Desk) -> None:
    sent = await desk.sent(
        {"messages": [{**GOOD, "to": ["41793026727", "41793026728"]}, {"to": ["41793026729"], "text": "Bye"}]},
        "/tts/3/multi",
    )
    texts = {claim.message.to: claim.message.content.text for claim in await desk.dial()}
    assert texts == {"41793026727": "Hello", "41793026728": "Hello", "41793026729": "Bye"}
    assert len(sent["messages"]) == 3


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+999 (0)0 0 88 77 66", "99900887766"),
        ("\u202a+41\xa079 302\u201167\u200e27\u202c\n", "41793026727"),
        ("tel:+41-79-302-67-27", "41793026727"),
    ],
)
async def test_numbers_may_be_written_as_people_and_programs_write_them(desk: Desk, written: str, digits: str) -> None:
    sent = await desk.sent({"from": written, "to": [written], "text": "Hello"})
    message = await kept(desk, sent)
    assert sent["messages"][0]["to"] == digits
    assert (message.to, message.sender) == (digits, digits)

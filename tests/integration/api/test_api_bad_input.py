"""Bad input: each kind is refused with the documented body, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

pytestmark = pytest.mark.any_database

KEY = {"Authorization": "App the-key"}
JSON = {**KEY, "Content-Type": "application/json"}
GOOD = {"from": "38515507799", "to": "41793026727", "text": "Hello"}


def changed(**members: Any) -> dict[str, Any]:
    return {**GOOD, **members}


def without(*names: str) -> dict[str, Any]:
    return {name: member for name, member in GOOD.items() if name not in names}


@pytest.mark.parametrize(
    ("body", "members"),
    [
        (without("to"), ["to"]),
        (changed(to=None), ["to"]),
        (changed(to=""), ["to"]),
        (changed(to=[]), ["to"]),
        (changed(to="abc"), ["to"]),
        (changed(to="123"), ["to"]),
        (changed(to="1234567890123456"), ["to"]),
        (changed(to="41793026727\r\nX: y"), ["to"]),
        (changed(to=41793026727), ["to"]),
        (changed(to={"number": "41793026727"}), ["to"]),
        (changed(to=["41793026727", "nobody", 7]), ["to[1]", "to[2]"]),
        (changed(to="[1,"), ["to"]),
        (changed(to=["41793026727"] * 20_001), ["to"]),
        (changed(**{"from": "Voicebridge"}), ["from"]),
        (changed(**{"from": 38515507799}), ["from"]),
        (changed(text=""), ["text"]),
        (changed(text="...,,,!"), ["text"]),
        (changed(text="x" * 1401), ["text"]),
        (changed(text=17), ["text"]),
        (changed(text=["Hello"]), ["text"]),
        (changed(text="bell\x07"), ["text"]),
        (without("text"), ["text", "audioFileUrl"]),
        (changed(text=None), ["text", "audioFileUrl"]),
        (changed(audioFileUrl="https://files.example/a.mp3"), ["text", "audioFileUrl"]),
        ({**without("text"), "audioFileUrl": "file:///etc/passwd"}, ["audioFileUrl"]),
        (changed(language="tlh"), ["language"]),
        (changed(language=1), ["language"]),
        (changed(voice="loud"), ["voice"]),
        (changed(voice={"gender": "robot"}), ["voice.gender"]),
        (changed(speechRate="fast"), ["speechRate"]),
        (changed(speechRate=True), ["speechRate"]),
        (changed(sensitive="yes"), ["sensitive"]),
        (changed(to="+41793026727 ext. 5"), ["to"]),
        (changed(to="0793026727", **{"from": "1-800-FLOWERS"}), ["to", "from"]),
        (changed(to="abc", text="", language="tlh"), ["to", "text", "language"]),
    ],
)
async def test_the_answer_names_the_members_at_fault(desk: Desk, body: Any, members: list[str]) -> None:
    assert sorted(await desk.refused(body)) == sorted(members)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"text": "Hello \u8a9e"}, "nobody has a sound for '\u8a9e' (U+8A9E) in 'en'"),
        ({"text": "\u8a8d\u8a3c 1234", "language": "JA"}, "(U+8A8D), '\u8a3c' (U+8A3C) in 'ja'"),
        ({"text": "Hello \ue000"}, "(U+E000) in 'en'"),
    ],
)
async def test_what_the_voice_has_no_sound_for_is_named(desk: Desk, members: dict[str, str], told: str) -> None:
    refused = await desk.refused(changed(sensitive=True, **members))  # by local engines only
    assert list(refused) == ["text"]
    assert told in refused["text"][0]


async def test_an_unsupported_language_is_told_what_there_is(desk: Desk) -> None:
    ((told,),) = (await desk.refused(changed(language="tlh"))).values()
    assert told.startswith("is not supported; these are: ar, ar-ma, ")
    assert ", hr, " in told


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"to": "41793026727", "text": "Hello"',
        b"null",
        b"[]",
        b'"text"',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"to": "41793026727", "text": "Hello", "speechRate": NaN}',
        b'{"to": "41793026727", "text": "Hello", "speechRate": Infinity}',
        b'{"to": "41793026727", "text": "Hello \xff"}',
        b'{"to": "41793026727", "text": "Hello \\ud800"}',
        '{"to": "41793026727", "text": "Hello"}'.encode("utf-16"),
        b"\x1f\x8b\x08\x00",
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(desk: Desk, body: bytes) -> None:
    answer = await desk.client.post("/tts/3/single", data=body, headers=JSON)
    assert answer.status == 400
    exception = (await answer.json())["requestError"]["serviceException"]
    assert exception["messageId"] == "BAD_REQUEST"
    assert "JSON" in exception["text"]
    await desk.nothing_is_left_behind()


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1" + "0" * 5000, "-1e400", "1e999"])
async def test_a_number_beyond_all_bounds_is_no_failure_of_ours(desk: Desk, number: str) -> None:
    body = f'{{"to": "41793026727", "text": "Hello", "speechRate": {number}}}'
    answer = await desk.client.post("/tts/3/single", data=body, headers=JSON)
    assert answer.status in {200, 400}
    body = f'{{"messages": [{{"destinations": [{{"to": "41793026727"}}], "text": "Hi", "ringTimeout": {number}}}]}}'
    answer = await desk.client.post("/tts/3/advanced", data=body, headers=JSON)
    assert answer.status == 400


async def test_of_repeated_members_the_last_one_counts(desk: Desk) -> None:
    body = b'{"to": "nobody", "text": "Hello", "to": "41793026727"}'
    answer = await desk.client.post("/tts/3/single", data=body, headers=JSON)
    assert (await answer.json())["messages"][0]["to"] == "41793026727"


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
async def test_an_unknown_content_type_is_refused(desk: Desk, content_type: str) -> None:
    answer = await desk.client.post(
        "/tts/3/single", data=json.dumps(GOOD), headers={**KEY, "Content-Type": content_type}
    )
    assert answer.status == 400
    assert content_type in (await answer.json())["requestError"]["serviceException"]["text"]
    await desk.nothing_is_left_behind()


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "application/vnd.api+json"])
async def test_json_by_another_name_is_accepted(desk: Desk, content_type: str) -> None:
    answer = await desk.client.post(
        "/tts/3/single", data=json.dumps(GOOD), headers={**KEY, "Content-Type": content_type}
    )
    assert answer.status == 200


async def test_a_body_over_the_limit_is_refused(desk: Desk) -> None:
    body = io.BytesIO(json.dumps(changed(text="x" * 4_000_000)).encode())
    answer = await desk.client.post("/tts/3/single", data=body, headers=JSON)
    assert answer.status == 413
    assert (await answer.json())["requestError"]["serviceException"]["messageId"] == "REQUEST_TOO_LARGE"
    await desk.nothing_is_left_behind()


async def test_a_body_that_unpacks_over_the_limit_is_refused(desk: Desk) -> None:
    bomb = gzip.compress(json.dumps(changed(text="x" * 20_000_000)).encode())
    answer = await desk.client.post("/tts/3/single", data=bomb, headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.status == 413
    await desk.nothing_is_left_behind()


async def test_a_body_that_cannot_be_unpacked_is_refused(desk: Desk) -> None:
    answer = await desk.client.post("/tts/3/single", data=b"no gzip", headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.status == 400
    await desk.nothing_is_left_behind()


async def test_the_answer_tells_of_many_faults_but_stays_small(desk: Desk) -> None:
    problems = await desk.refused(changed(to=["nobody"] * 10_000))
    assert 10 <= len(problems) <= 100


async def test_what_the_http_library_refuses_has_the_same_body(desk: Desk) -> None:
    unknown = await desk.get("/tts/3/nothing")
    assert unknown.status == 404
    assert (await unknown.json())["requestError"]["serviceException"]["messageId"] == "NOT_FOUND"
    wrong_method = await desk.get("/tts/3/single")
    assert wrong_method.status == 405
    assert wrong_method.headers["Allow"] == "POST"
    assert (await wrong_method.json())["requestError"]["serviceException"]["messageId"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5"])
async def test_a_limit_of_reports_that_is_none_is_refused(desk: Desk, limit: str) -> None:
    answer = await desk.get("/tts/3/reports", limit=limit)
    assert answer.status == 400
    assert list((await answer.json())["requestError"]["serviceException"]["validationErrors"]) == ["limit"]


async def test_a_client_that_goes_away_in_the_middle_leaves_nothing(desk: Desk) -> None:
    host, port = desk.client.host, desk.client.port
    _, writer = await asyncio.open_connection(host, port)
    head = f"POST /tts/3/single HTTP/1.1\r\nHost: {host}\r\nAuthorization: App the-key\r\nContent-Length: 500\r\n\r\n"
    writer.write(head.encode() + json.dumps(GOOD).encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await desk.client.get("/healthz")).status == 200
    await desk.nothing_is_left_behind()

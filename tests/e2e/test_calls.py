"""What an application notices of calls to the lab's telephones."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from aiohttp import ClientSession

from bridge.speech.sound.codec import ulaw_levels
from tests.e2e.running_lab import CALLER_ID, RunningLab, until_is

SILENCE = b"\xff\x7f"
"""The zeros of µ-law."""


async def send(api: ClientSession, to: str, text: str, **members: Any) -> str:
    """POST one message; return its token."""
    async with api.post("/tts/3/single", json={"from": "41790000000", "to": to, "text": text, **members}) as response:
        assert response.status == 200, await response.text()
        body = await response.json()
    token: str = body["messages"][0]["token"]
    return token


async def cdr_of(api: ClientSession, token: str, seconds: float = 30) -> dict[str, Any]:
    """The CDR, as soon as the call is over."""

    async def fetch() -> dict[str, Any] | None:
        async with api.get(f"/voice/1/calls/{token}/cdr") as response:
            assert response.status in (200, 409)
            return await response.json() if response.status == 200 else None

    return await until_is(fetch, seconds)


async def reports(api: ClientSession, path: str = "/tts/3/reports", **query: str) -> list[dict[str, Any]]:
    async with api.get(path, params=query) as response:
        assert response.status == 200
        results: list[dict[str, Any]] = (await response.json())["results"]
    return results


def silences(ulaw: bytes) -> list[int]:
    """The lengths, in samples, of the silences of more than 0.3 s, between sounds and at the end."""
    loud = np.abs(ulaw_levels()[np.frombuffer(ulaw, np.uint8)]) > 60
    edges = np.flatnonzero(np.diff(np.concatenate(([True], loud, [True])).astype(int)))
    return [int(end - start) for start, end in zip(edges[::2], edges[1::2], strict=True) if end - start > 2400]


def loud_samples(ulaw: bytes) -> int:
    return int((np.abs(ulaw_levels()[np.frombuffer(ulaw, np.uint8)]) > 60).sum())


async def test_digits_and_symbols_of_any_script_are_heard_at_the_telephone(lab: RunningLab, api: ClientSession) -> None:
    for number, language, text, plainly in (
        ("9990014", "ja", "コード\uff11\uff12\uff13\uff14です", "コード1234です"),
        ("9990016", "pl", "kosztuje 5 \u20ac", "kosztuje 5 euro"),
    ):
        await cdr_of(api, await send(api, number, text, language=language))
        await cdr_of(api, await send(api, str(int(number) + 1), plainly, language=language))
        heard = [(await lab.heard(each)).strip(SILENCE) for each in (number, str(int(number) + 1))]
        # A telephone that gets no processor in time loses the last of what came before the BYE.
        shorter, longer = sorted(heard, key=len)
        assert longer.startswith(shorter)
        assert len(shorter) > 0.75 * len(longer)
        assert loud_samples(shorter) > 4_000


async def test_each_comma_is_half_a_second_of_silence_at_the_telephone(lab: RunningLab, api: ClientSession) -> None:
    heard = {}
    for number, text in (("9990010", "this,,,,is,,,,a,,,,test,,,,"), ("9990011", "this,,is,,a,,test,,")):
        await cdr_of(api, await send(api, number, text))
        heard[text.count(",")] = silences(await lab.heard(number))
    assert all(abs(silence - 16_000) <= 240 for silence in heard[16][:3])
    assert [long - short for long, short in zip(heard[16][:3], heard[8][:3], strict=True)] == [8_000] * 3
    assert heard[16][3] >= 16_000


@pytest.mark.parametrize(
    ("number", "error", "sip_status"),
    [
        ("9990101", "EC_VOICE_USER_BUSY", 486),
        ("9990301", "EC_DECLINE", 603),
        ("9990401", "EC_VOICE_ERROR_DESTINATION_NOT_FOUND", 404),
        ("9990501", "EC_VOICE_ERROR_TEMPORARILY_NOT_AVAILABLE", 480),
        ("9990601", "EC_VOICE_SERVICE_UNAVAILABLE", 503),
    ],
)
async def test_a_call_that_is_not_answered_ends_with_its_error(
    api: ClientSession, number: str, error: str, sip_status: int
) -> None:
    token = await send(api, number, "Nobody hears this.")
    cdr = await cdr_of(api, token)
    assert (cdr["status"]["name"], cdr["error"]["name"]) == ("EXPIRED_EXPIRED", error)
    (attempt,) = cdr["attempts"]
    assert attempt["sipStatus"] == sip_status
    assert (attempt["answeredAt"], attempt["billableSeconds"], attempt["spoken"]) == (None, 0, [])
    (report,) = await reports(api, messageId=token)
    assert (report["error"]["name"], report["duration"], report["answerTime"]) == (error, 0, None)
    assert await reports(api, messageId=token) == []


async def test_a_callee_that_hangs_up_early_was_reached(lab: RunningLab, api: ClientSession) -> None:
    cdr = await cdr_of(api, await send(api, "9990901", "This is a long text of which only the beginning is heard."))
    (attempt,) = cdr["attempts"]
    assert cdr["error"]["name"] == "VOICE_ANSWERED"
    assert attempt["hungUpBy"] == "callee"
    assert 0.8 < attempt["callSeconds"] < 3
    assert 3_000 < len(await lab.heard("9990901")) < 24_000


async def test_ringing_stops_when_the_ring_time_is_over(lab: RunningLab, api: ClientSession) -> None:
    message = {"destinations": [{"to": "9990279901"}], "text": "Nobody hears this.", "ringTimeout": 3}
    async with api.post("/tts/3/advanced", json={"messages": [message]}) as response:
        token = (await response.json())["messages"][0]["token"]
    cdr = await cdr_of(api, token)
    assert cdr["error"]["name"] == "EC_VOICE_NO_ANSWER"
    assert 2.5 < cdr["attempts"][0]["ringSeconds"] < 10
    await lab.until(lambda: bool(lab.calls("9990279901")))
    (call,) = lab.calls("9990279901")
    assert timedelta(seconds=2.5) < call.ended - call.started < timedelta(seconds=10)


async def test_both_forms_of_the_report_come_once(api: ClientSession) -> None:
    first, second = [await send(api, f"999004{n}", "Good morning.") for n in range(2)]
    for token in (first, second):
        await cdr_of(api, token)
    (flat,) = await reports(api, messageId=first)
    (nested,) = await reports(api, "/voice/1/reports", messageId=second)
    assert (flat["status"]["name"], flat["error"]["name"]) == ("DELIVERED_TO_HANDSET", "VOICE_ANSWERED")
    assert flat["duration"] == nested["voiceCall"]["duration"] > 0
    for token in (first, second):
        assert await reports(api, messageId=token) == []
        assert await reports(api, "/voice/1/reports", messageId=token) == []


async def test_basic_credentials_open_the_same_account(lab: RunningLab, api: ClientSession) -> None:
    token = await send(api, "9990050", "Good morning.")
    async with ClientSession(lab.url, headers=lab.basic_headers) as session:
        assert (await cdr_of(session, token))["messageId"] == token


async def test_every_attempt_has_a_line_in_the_file_of_the_day(lab: RunningLab, api: ClientSession) -> None:
    token = await send(api, "9990102", "Nobody hears this.")
    await cdr_of(api, token)

    def lines() -> list[str]:
        return [line for file in (lab.data_dir / "cdr").glob("*.csv") for line in file.read_text().splitlines()]

    await lab.until(lambda: any(token in line for line in lines()))
    (line,) = [line for line in lines() if token in line]
    assert "EC_VOICE_USER_BUSY" in line


async def test_200_calls_at_20_a_second_each_ring_once_and_are_reported_once(
    lab: RunningLab, api: ClientSession
) -> None:
    numbers = [f"999007{n:04}" for n in range(200)]
    start = time.monotonic()

    async def at_its_turn(turn: int, number: str) -> str:
        await asyncio.sleep(max(0.0, start + turn / 20 - time.monotonic()))
        return await send(api, number, "One of many.")

    tokens = await asyncio.gather(*(at_its_turn(turn, number) for turn, number in enumerate(numbers)))
    cdrs = [await cdr_of(api, token) for token in tokens]
    assert {cdr["error"]["name"] for cdr in cdrs} == {"VOICE_ANSWERED"}
    assert all(len(cdr["attempts"]) == 1 for cdr in cdrs)

    wanted, found = set(tokens), Counter[str]()
    while results := await reports(api, limit="77"):
        found.update(report["messageId"] for report in results)
    assert {token: found[token] for token in wanted} == dict.fromkeys(wanted, 1)

    def rang() -> dict[str, int]:
        times = Counter(call.number for call in lab.lab.phone_calls())
        return {number: times[number] for number in numbers}

    await lab.until(lambda: all(rang().values()))
    assert rang() == dict.fromkeys(numbers, 1)


async def test_a_message_that_names_no_caller_shows_the_configured_one(lab: RunningLab, api: ClientSession) -> None:
    async with api.post("/tts/3/single", json={"to": "9990070", "text": "Good morning."}) as response:
        token = (await response.json())["token"]
    await cdr_of(api, token)
    await lab.until(lambda: bool(lab.calls("9990070")))
    assert [call.caller_id for call in lab.calls("9990070")] == [CALLER_ID]


async def test_the_timeline_is_in_order(api: ClientSession) -> None:
    cdr = await cdr_of(api, await send(api, "9990060", "Good morning."))
    (attempt,) = cdr["attempts"]
    names = ("queuedAt", "dialledAt", "ringingAt", "answeredAt", "endedAt")
    times = [datetime.strptime(attempt[name], "%Y-%m-%dT%H:%M:%S.%f%z") for name in names]
    assert times == sorted(times)
    assert attempt["spoken"][0]["engine"] == "espeak-ng"
    assert attempt["spoken"][0]["seconds"] <= attempt["callSeconds"]

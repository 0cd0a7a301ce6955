"""Several trunks: which one a call goes out by, what happens when it fails, and each trunk's own limits."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from bridge.lab.lab import Lab
from bridge.lab.setup import OWN_CARRIER
from bridge.lab.telephones import PhoneCall
from tests.e2e.running_lab import RunningLab, until_is
from tests.e2e.test_calls import cdr_of, send
from tests.ports import free_port

SCENARIOS = Path(__file__).parent / "sipp"
REFUSING, TRYING, PATCHY = [SCENARIOS / f"{scenario}.xml" for scenario in ("refusing", "trying", "patchy")]
NARROW_PER_SECOND, NARROW_CALLS = 4, 2
NOTICED_LATE = timedelta(seconds=0.3)


@contextmanager
def trunk(scenario: Path) -> Iterator[int]:
    """A trunk that does what its scenario says; yields its SIP port."""
    port = free_port(socket.SOCK_DGRAM)
    command = ["sipp", "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(port), "-nostdin"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def trunks_lab(lab_settings_only: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab whose first trunks do not do what they should; the last one leads to its telephones."""
    without_credit = tmp_path_factory.mktemp("sipp") / "unpaid.xml"
    without_credit.write_text(REFUSING.read_text().replace("503 Service Unavailable", "402 Payment Required"))
    with ExitStack() as running:
        scenarios = (REFUSING, without_credit, TRYING, PATCHY)
        refusing, unpaid, trying, patchy = [running.enter_context(trunk(scenario)) for scenario in scenarios]
        trunks = [
            {"name": "unpaid", "uri": f"sip:127.0.0.1:{unpaid}", "prefixes": ["999006"]},
            {"name": "refusing", "uri": f"sip:127.0.0.1:{refusing}", "prefixes": ["999001"]},
            {"name": "patchy", "uri": f"sip:127.0.0.1:{patchy}", "prefixes": ["999007"]},
            {"name": "trying", "uri": f"sip:127.0.0.1:{trying}", "prefixes": ["999002"]},
            {"name": "dead", "uri": f"sip:127.0.0.1:{free_port(socket.SOCK_DGRAM)}", "prefixes": ["999003"]},
            {
                "name": "narrow",
                "uri": OWN_CARRIER,
                "prefixes": ["999004", "99901"],
                "calls_per_second": NARROW_PER_SECOND,
                "max_calls": NARROW_CALLS,
            },
            {"name": "main", "uri": OWN_CARRIER, "calls_per_second": 20},
        ]
        lab = Lab(tmp_path_factory.mktemp("trunks"), {"VOICEBRIDGE_TRUNKS": json.dumps(trunks)})
        running.callback(lab.down)
        lab.up()
        yield RunningLab(lab)


@pytest.fixture
async def api(trunks_lab: RunningLab) -> AsyncIterator[ClientSession]:
    """An HTTP session with the daemon, when it knows which trunks answer."""
    async with ClientSession(trunks_lab.url, headers=trunks_lab.headers) as session:

        async def seen() -> bool:
            told = await trunks_told(session)
            return all(told[name]["qualify"] == "reachable" for name in told if name != "dead")

        await until_is(seen)
        yield session


async def trunks_told(api: ClientSession) -> dict[str, dict[str, Any]]:
    async with api.get("/readyz") as response:
        assert response.status == 200
        trunks: dict[str, dict[str, Any]] = (await response.json())["trunks"]
    return trunks


async def only_attempt(api: ClientSession, token: str) -> dict[str, Any]:
    cdr = await cdr_of(api, token, 60)
    assert cdr["error"]["name"] == "VOICE_ANSWERED"
    (attempt,) = cdr["attempts"]
    assert isinstance(attempt, dict)
    return attempt


async def only_call(lab: RunningLab, number: str) -> PhoneCall:
    await lab.until(lambda: bool(lab.calls(number)))
    (call,) = lab.calls(number)
    return call


async def test_the_longest_prefix_chooses_the_trunk(trunks_lab: RunningLab, api: ClientSession) -> None:
    narrow, main = [await send(api, number, "Good morning.") for number in ("9990041", "9990051")]

    assert (await only_attempt(api, narrow))["trunk"] == "narrow"
    assert (await only_attempt(api, main))["trunk"] == "main"
    assert (await only_attempt(api, main))["refused"] == []


async def test_a_trunk_that_refuses_is_followed_by_the_next_and_the_telephone_rings_once(
    trunks_lab: RunningLab, api: ClientSession
) -> None:
    before = await trunks_told(api)

    attempt = await only_attempt(api, await send(api, "9990011", "Good morning."))

    assert attempt["trunk"] == "main"
    (refused,) = attempt["refused"]
    assert (refused["trunk"], refused["sipStatus"]) == ("refusing", 503)
    await only_call(trunks_lab, "9990011")
    told = await trunks_told(api)
    assert told["refusing"]["refusedByCarrier"] == before["refusing"]["refusedByCarrier"] + 1
    assert told["refusing"]["heldByOwnLimit"] == 0
    assert told["main"]["refusedByCarrier"] == before["main"]["refusedByCarrier"]


async def test_a_trunk_that_takes_no_call_at_all_is_spared(trunks_lab: RunningLab, api: ClientSession) -> None:
    """Its account is without credit, say; it answers OPTIONS."""
    numbers = [f"999006{index}" for index in range(5)]
    attempts = [await only_attempt(api, await send(api, number, "Good morning.")) for number in numbers]

    assert {attempt["trunk"] for attempt in attempts} == {"main"}
    refused = [[leg["sipStatus"] for leg in attempt["refused"]] for attempt in attempts]
    assert refused[:3] == [[402]] * 3
    assert [] in refused
    for number in numbers:
        await only_call(trunks_lab, number)
    told = (await trunks_told(api))["unpaid"]
    assert (told["qualify"], told["refusedByCarrier"]) == ("reachable", sum(map(len, refused)))


async def test_a_trunk_that_takes_other_calls_in_between_is_not_spared(api: ClientSession) -> None:
    for failing in ("9990071", "9990072", "9990073"):
        refused = (await only_attempt(api, await send(api, failing, "Good morning.")))["refused"]
        assert [leg["trunk"] for leg in refused] == ["patchy"]
        (attempt,) = (await cdr_of(api, await send(api, "9990077", "Good morning.")))["attempts"]
        assert (attempt["trunk"], attempt["sipStatus"], attempt["refused"]) == ("patchy", 486, [])


async def test_a_trunk_on_which_nothing_rings_is_followed_by_the_next_in_time(
    trunks_lab: RunningLab, api: ClientSession
) -> None:
    """It says that it is trying, and no more."""
    attempt = await only_attempt(api, await send(api, "9990021", "Good morning."))

    assert attempt["trunk"] == "main"
    (refused,) = attempt["refused"]
    assert refused["trunk"] == "trying"
    waited = datetime.fromisoformat(refused["endedAt"]) - datetime.fromisoformat(refused["dialledAt"])
    assert timedelta(seconds=7) < waited < timedelta(seconds=20)
    await only_call(trunks_lab, "9990021")


async def test_a_trunk_that_is_dead_costs_no_call(trunks_lab: RunningLab, api: ClientSession) -> None:
    assert (await trunks_told(api))["dead"]["qualify"] == "unreachable"

    attempt = await only_attempt(api, await send(api, "9990031", "Good morning."))

    assert attempt["trunk"] == "main"
    await only_call(trunks_lab, "9990031")


async def test_a_callee_who_is_busy_is_not_called_by_another_trunk(trunks_lab: RunningLab, api: ClientSession) -> None:
    """It is no fault of the trunk, and another one leads to the number as well."""
    cdr = await cdr_of(api, await send(api, "9990101", "Good morning."))

    (attempt,) = cdr["attempts"]
    assert (attempt["trunk"], attempt["sipStatus"], attempt["refused"]) == ("narrow", 486, [])
    await only_call(trunks_lab, "9990101")
    assert (await trunks_told(api))["narrow"]["refusedByCarrier"] == 0


async def test_each_trunk_keeps_its_pace_and_its_number_of_calls_and_delays_no_other(
    trunks_lab: RunningLab, api: ClientSession
) -> None:
    narrow = [f"99900411{index:02}" for index in range(10)]
    main = [f"99900511{index:02}" for index in range(20)]
    destinations = [{"to": number} for number in (*narrow, *main)]
    message = {"from": "41790000000", "destinations": destinations, "text": "Good morning."}
    async with api.post("/tts/3/advanced", json={"messages": [message]}) as response:
        assert response.status == 200, await response.text()

    await trunks_lab.until(lambda: all(trunks_lab.calls(number) for number in (*narrow, *main)), 60)

    narrow_calls, main_calls = by_start(trunks_lab, narrow), by_start(trunks_lab, main)
    assert shortest_time_of(NARROW_PER_SECOND + 1, narrow_calls) > 0.6
    assert most_at_once(narrow_calls) == NARROW_CALLS
    assert main_calls[-1].started - main_calls[0].started > timedelta(seconds=0.7 * 19 / 20)
    assert main_calls[-1].started < narrow_calls[-1].started
    told = await trunks_told(api)
    assert told["narrow"]["heldByOwnLimit"] > 0
    assert told["narrow"]["refusedByCarrier"] == 0


def by_start(lab: RunningLab, numbers: Sequence[str]) -> list[PhoneCall]:
    """The only call of each telephone, as it saw it."""
    calls = []
    for number in numbers:
        (call,) = lab.calls(number)
        calls.append(call)
    return sorted(calls, key=lambda call: call.started)


def shortest_time_of(count: int, calls: Sequence[PhoneCall]) -> float:
    """Seconds from a call to the one that is so many later, both counted: a busy machine rings some telephones late."""
    return min(
        (later.started - earlier.started).total_seconds()
        for earlier, later in zip(calls, calls[count - 1 :], strict=False)
    )


def most_at_once(calls: Sequence[PhoneCall]) -> int:
    """A busy machine's telephone notices late that its call is over."""
    return max(sum(other.started <= call.started < other.ended - NOTICED_LATE for other in calls) for call in calls)

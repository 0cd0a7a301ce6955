"""A trunk whose name leads to no address: a fault of ours to tell, and no refusal of the carrier's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import ClientSession

from bridge.lab.lab import Lab
from bridge.lab.setup import OWN_CARRIER
from tests.e2e.running_lab import RunningLab, until_is
from tests.e2e.test_calls import cdr_of, send

BY_DNS, BY_FILE, WITH_STAND_IN = "888", "889", "99909"
TRUNKS = [
    {"name": "nowhere", "uri": "sip:carrier.invalid", "prefixes": [BY_DNS, WITH_STAND_IN]},
    {"name": "in-hosts-file", "uri": "sip:localhost:5999", "prefixes": [BY_FILE]},
    {"name": "main", "uri": OWN_CARRIER, "prefixes": ["999"]},
]


@pytest.fixture(scope="module")
def nowhere_lab(lab_settings_only: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    lab = Lab(tmp_path_factory.mktemp("nowhere"), {"VOICEBRIDGE_TRUNKS": json.dumps(TRUNKS)})
    try:
        lab.up()
        yield RunningLab(lab)
    finally:
        lab.down()


@pytest.fixture
async def api(nowhere_lab: RunningLab) -> AsyncIterator[ClientSession]:
    async with ClientSession(nowhere_lab.url, headers=nowhere_lab.headers) as session:
        yield session


async def trunks_told(api: ClientSession) -> dict[str, dict[str, Any]]:
    async with api.get("/readyz") as response:
        trunks: dict[str, dict[str, Any]] = (await response.json())["trunks"]
    return trunks


async def test_it_is_told_before_a_call_is_made(api: ClientSession) -> None:
    async def is_told() -> bool:
        told = await trunks_told(api)
        return [trunk["qualify"] for trunk in told.values()] == ["unresolved", "unresolved", "reachable"]

    await until_is(is_told)


@pytest.mark.parametrize("prefix", [BY_DNS, BY_FILE])
async def test_nobody_has_hung_up_and_the_carrier_has_refused_nothing(api: ClientSession, prefix: str) -> None:
    cdr = await cdr_of(api, await send(api, f"{prefix}0001", "Good morning."), 60)
    assert cdr["error"]["name"] == "EC_VOICE_TRUNK_NOT_RESOLVED"
    (attempt,) = cdr["attempts"]
    assert (attempt["hungUpBy"], attempt["sipStatus"], attempt["refused"]) == (None, None, [])
    assert [trunk["refusedByCarrier"] for trunk in (await trunks_told(api)).values()] == [0, 0, 0]


async def test_the_next_trunk_takes_the_call(api: ClientSession) -> None:
    cdr = await cdr_of(api, await send(api, f"{WITH_STAND_IN}01", "Good morning."), 60)
    (attempt,) = cdr["attempts"]
    assert (attempt["trunk"], cdr["error"]["name"]) == ("main", "VOICE_ANSWERED")
    assert all(leg["sipStatus"] is None for leg in attempt["refused"])
    assert (await trunks_told(api))["nowhere"]["refusedByCarrier"] == 0

"""Transfers: two telephones that really hear each other, and what the CDR says about it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession

from bridge.messages.recording import SHORT_BY_SECONDS
from tests.e2e.interactive import SAMPLES_A_SECOND, attempt_of, called, one_zero, samples
from tests.e2e.running_lab import RunningLab
from tests.e2e.test_recording import holds, launch, recording_of, said_by

TEXT = "Press one to talk to us."
TALKER = "99923"


def transfer(verb: dict[str, Any], *after: Any) -> dict[str, Any]:
    return {
        "actions": [{"if": "dtmf", "equals": "1", "actionGroup": "agent"}],
        "actionGroups": {"agent": [verb, *after]},
        "dtmfTimeout": 2,
    }


def hears(heard: bytes, talker: bytes) -> bool:
    """Whether the telephone heard two seconds of what the talker says, without a gap."""
    length = 2 * SAMPLES_A_SECOND
    heard, talker = one_zero(heard), one_zero(talker)
    starts = range(0, 6 * SAMPLES_A_SECOND, 800)
    return any(talker[start : start + length] in heard for start in starts)


async def test_both_sides_hear_each_other_until_the_time_is_over(lab: RunningLab, api: ClientSession) -> None:
    caller, agent = "999221019901", f"{TALKER}51"
    verb = {"dial": agent, "options": {"maxCallDuration": 5}}
    attempt = await called(api, caller, TEXT, record=True, **transfer(verb, "hangup"))
    (transferred,) = attempt["transfers"]
    assert transferred["result"] == "answered"
    assert transferred["number"] == agent
    assert transferred["seconds"] == pytest.approx(5, abs=1)
    assert attempt["hungUpBy"] == "caller"
    said = said_by(lab, "talker")
    assert hears(await lab.heard(caller), said)
    assert hears(await lab.heard(agent), said)
    assert [call.caller_id for call in lab.calls(agent)] == ["41790000000"]
    recorded = samples(await recording_of(api, attempt))
    assert len(recorded) / SAMPLES_A_SECOND == pytest.approx(attempt["callSeconds"], abs=SHORT_BY_SECONDS)


@pytest.mark.parametrize("turn", range(4))
async def test_the_recording_holds_the_transferred_leg(lab: RunningLab, api: ClientSession, turn: int) -> None:
    """Asterisk alone would leave out every second one: it depends on where the packets' numbers begin."""
    script = [{"say": TEXT}, {"dial": f"{TALKER}52{turn}", "options": {"maxCallDuration": 3}}, {"say": TEXT}]
    attempt = await attempt_of(api, await launch(api, f"9990752{turn}", script, record=True))
    recorded = samples(await recording_of(api, attempt))
    assert len(recorded) / SAMPLES_A_SECOND == pytest.approx(attempt["callSeconds"], abs=SHORT_BY_SECONDS)
    assert holds(recorded, said_by(lab, "talker"))


async def test_a_transfer_that_is_refused_comes_back(lab: RunningLab, api: ClientSession) -> None:
    verb = {"dial": "9990153"}
    attempt = await called(api, "999110199053", TEXT, **transfer(verb, {"say": "They are ${dialResult}."}, "hangup"))
    (transferred,) = attempt["transfers"]
    assert (transferred["result"], transferred["number"], transferred["seconds"]) == ("busy", None, 0)
    assert len(attempt["spoken"]) == 2


async def test_a_transfer_rings_as_long_as_it_may(lab: RunningLab, api: ClientSession) -> None:
    verb = {"dial": "9990254", "options": {"ringTimeout": 2}}
    attempt = await called(api, "999110199054", TEXT, **transfer(verb, "hangup"))
    (transferred,) = attempt["transfers"]
    assert transferred["result"] == "no-answer"
    await lab.until(lambda: bool(lab.calls("9990254")))
    (rang,) = lab.calls("9990254")
    assert 1.5 < (rang.ended - rang.started).total_seconds() < 10
    heard = one_zero(await lab.heard("999110199054"))
    assert len(set(heard[-SAMPLES_A_SECOND:])) > 20, "the callee hears it ring"


async def test_the_first_of_several_telephones_that_answers_is_joined(lab: RunningLab, api: ClientSession) -> None:
    verb = {
        "dialToMany": [{"number": "9990255"}, {"number": f"{TALKER}55"}, {"number": "9990155"}],
        "options": {"parallel": True, "maxCallDuration": 2},
    }
    attempt = await called(api, "999110199055", TEXT, **transfer(verb, "hangup"))
    (transferred,) = attempt["transfers"]
    assert (transferred["result"], transferred["number"]) == ("answered", f"{TALKER}55")
    await lab.until(lambda: bool(lab.calls("9990255")))
    (rang,) = lab.calls("9990255")
    assert (rang.ended - rang.started).total_seconds() < 8, "the others stop ringing"


async def test_a_callee_who_leaves_during_a_transfer_ends_it(lab: RunningLab, api: ClientSession) -> None:
    """The telephone hangs up by itself after a second."""
    attempt = await attempt_of(api, await launch(api, "9990956", [{"dial": f"{TALKER}56"}, {"say": "Nobody hears."}]))
    (transferred,) = attempt["transfers"]
    assert transferred["result"] == "answered"
    assert attempt["hungUpBy"] == "callee"
    await lab.until(lambda: bool(lab.calls(f"{TALKER}56")))


async def test_click_to_call_joins_two_telephones_and_warns_before_the_end(lab: RunningLab, api: ClientSession) -> None:
    message = {
        "from": "41790000000",
        "fromB": "41790000001",
        "destinationA": f"{TALKER}57",
        "destinationB": f"{TALKER}58",
        "text": "Connecting you.",
        "maxDuration": 5,
        "warningTime": 2,
    }
    async with api.post("/voice/ctc/1/send", json={"messages": [message]}) as response:
        assert response.status == 200, await response.text()
        token = (await response.json())["messages"][0]["messageId"]
    attempt = await attempt_of(api, token)
    (transferred,) = attempt["transfers"]
    assert transferred["seconds"] == pytest.approx(5, abs=1)
    said = said_by(lab, "talker")
    for number in (f"{TALKER}57", f"{TALKER}58"):
        assert hears(await lab.heard(number), said)
    assert [call.caller_id for call in lab.calls(f"{TALKER}58")] == ["41790000001"]

"""Answering machines: the lab's voicemail with its greetings and its people, and who hears what."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession

from bridge.lab.sayings import HUMANS, VOICEMAIL
from tests.e2e.interactive import SAMPLES_A_SECOND, Sounds, called
from tests.e2e.running_lab import RunningLab
from tests.e2e.test_recording import said_by

TEXT = "This is a message for you, whoever you are."
MOST_WRONG = 4


async def test_a_machine_is_hung_up_on_when_that_is_asked_for(lab: RunningLab, api: ClientSession) -> None:
    attempt = await called(api, "9990861", TEXT, machineDetection="hangup")
    assert attempt["answeredBy"] == "machine"
    assert attempt["answeredByReason"].startswith(("LONGGREETING", "MAXWORDS"))
    assert attempt["error"]["name"] == "VOICE_ANSWERED_MACHINE"
    assert attempt["hungUpBy"] == "caller"
    assert attempt["callSeconds"] < 5
    assert attempt["spoken"] == []


async def test_a_machine_hears_the_whole_message_after_its_beep(
    lab: RunningLab, api: ClientSession, sounds: Sounds
) -> None:
    attempt = await called(api, "9990862", TEXT, machineDetection="continue")
    assert attempt["answeredBy"] == "machine"
    assert attempt["error"]["name"] == "VOICE_ANSWERED_MACHINE"
    heard, message = await lab.heard("9990862"), await sounds.of(TEXT)
    greeting = len(said_by(lab, "voicemail-00")) / SAMPLES_A_SECOND
    began = attempt["callSeconds"] - len(message) / SAMPLES_A_SECOND
    assert greeting + 1 < began < greeting + 6
    assert heard.endswith(message)


@pytest.mark.parametrize("mode", ["hangup", "continue"])
async def test_a_human_hears_the_message_as_soon_as_it_is_decided(
    lab: RunningLab, api: ClientSession, sounds: Sounds, mode: str
) -> None:
    number = {"hangup": "9990763", "continue": "9990764"}[mode]
    attempt = await called(api, number, TEXT, machineDetection=mode)
    assert attempt["answeredBy"] == "human"
    assert attempt["error"]["name"] == "VOICE_ANSWERED"
    message = await sounds.of(TEXT)
    assert (await lab.heard(number)).endswith(message)
    hello = len(said_by(lab, "human-00")) / SAMPLES_A_SECOND
    assert attempt["callSeconds"] - len(message) / SAMPLES_A_SECOND < hello + 3


async def test_somebody_who_says_nothing_hears_the_message(lab: RunningLab, api: ClientSession, sounds: Sounds) -> None:
    attempt = await called(api, "9990065", TEXT, machineDetection="hangup")
    assert attempt["answeredBy"] == "unknown"
    assert (await lab.heard("9990065")).endswith(await sounds.of(TEXT))


async def test_people_and_machines_are_told_apart(api: ClientSession) -> None:
    async def answered_by(number: str) -> Any:
        return (await called(api, number, TEXT, machineDetection="hangup"))["answeredBy"]

    people = await asyncio.gather(*(answered_by(f"99924{index:02}66") for index in range(len(HUMANS))))
    machines = await asyncio.gather(*(answered_by(f"99925{index:02}66") for index in range(len(VOICEMAIL))))
    wrong = [index for index, who in enumerate(people) if who == "machine"]
    missed = [index for index, who in enumerate(machines) if who != "machine"]
    assert len(wrong) + len(missed) <= MOST_WRONG, (wrong, missed)

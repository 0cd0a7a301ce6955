"""How soon a key is answered, on the wire."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.e2e.interactive import called
from tests.e2e.running_lab import RunningLab
from tests.e2e.test_wire import capturing

pytestmark = pytest.mark.alone

MOST_SECONDS_TO_PROMPT = 0.040
SILENCE = {"ff"}
FIELDS = ("frame.time_epoch", "udp.srcport", "udp.dstport", "rtpevent.end_of_event", "rtp.payload")


def waits(file: Path, lab: RunningLab) -> list[float]:
    """From the end of each key (RFC 4733) to the first packet back that is more than silence; seconds."""
    reading = [
        "tshark",
        "-r",
        str(file),
        "-d",
        f"udp.port=={lab.ports.bridge_sip},sip",
        "-T",
        "fields",
        "-E",
        "separator=|",
    ]
    fields = (part for name in FIELDS for part in ("-e", name))
    lines = subprocess.run([*reading, *fields], capture_output=True, text=True, check=True).stdout.splitlines()
    ends: dict[tuple[str, str], float] = {}
    found = []
    for line in lines:
        at, source, target, ends_key, payload = line.split("|")[:5]
        octets = payload.replace(":", "")
        if ends_key in {"1", "True"}:
            ends.setdefault((target, source), float(at))
        elif (source, target) in ends and set(map("".join, zip(octets[::2], octets[1::2], strict=True))) - SILENCE:
            found.append(float(at) - ends.pop((source, target)))
    return found


async def test_a_key_is_answered_within_40_ms(lab: RunningLab, api: ClientSession, tmp_path: Path) -> None:
    """While the call listens, ten calls at once."""
    members = {
        "actions": [{"if": "dtmf", "equals": "2", "actionGroup": "thank"}],
        "actionGroups": {"thank": [{"say": "Thank you, that is all."}, "hangup"]},
        "dtmfTimeout": 4,
    }
    with capturing(lab, tmp_path) as _:
        for turn in range(3):
            await asyncio.gather(
                *(called(api, f"999120299{turn}{call:02}", "Press a key.", **members) for call in range(10))
            )
    seconds = sorted(waits(tmp_path / "wire.pcapng", lab))
    assert len(seconds) == 30
    assert seconds[int(len(seconds) * 0.95)] <= MOST_SECONDS_TO_PROMPT, seconds

"""A call whose link to Asterisk is cut, and the script that goes on with it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.calls import attempt as live_attempt
from bridge.lab.processes import until
from bridge.messages.message import Content
from bridge.messages.recording import RecordingState
from bridge.messages.routes import Routes
from tests.integration.attempt_desk import Desk, Process, eventually
from tests.integration.test_calls_adoption import CHOICE, outcome, own, records, scenario, told
from tests.recorded import LOST_ON_A_BUSY_MACHINE

if TYPE_CHECKING:
    from tests.integration.conftest import AmiProxy, Telephones

PATIENCE_SECONDS = 2.0
SILENT = b"\xff\x7f\xfe\x7e"


@pytest.fixture
async def desk(proxy: AmiProxy, database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk([proxy.url], database_url, tmp_path)
    yield desk
    await desk.processes[-1].die()


@asynccontextmanager
async def without_link(proxy: AmiProxy) -> AsyncIterator[None]:
    proxy.refusing = True
    proxy.cut()
    yield
    proxy.refusing = False


async def begun(desk: Desk, number: str, content: Content, is_so: Callable[[Process], Awaitable[object]]) -> Process:
    """A process that has called the number, as soon as it is so."""
    process = await desk.start(recovers=False)
    process.run(await desk.claimed(process, number, content))
    await eventually(lambda: is_so(process))
    return process


def wav_bytes(desk: Desk) -> int:
    return sum(file.stat().st_size for file in (desk.folder / "recordings").rglob("*.wav"))


@pytest.mark.any_database
async def test_a_recording_that_ended_without_a_link_is_kept(desk: Desk, proxy: AmiProxy) -> None:
    number = own("99923")
    content = scenario({"say": "Speak."}, {"record": 3}, {"say": "Thank you."})
    process = await begun(desk, number, content, records)
    async with without_link(proxy):
        await asyncio.to_thread(until, lambda: wav_bytes(desk) >= 3 * 16_000, 30)
    _, attempt = await outcome(process, number)
    (recording,) = attempt.recordings
    assert recording.state is RecordingState.AVAILABLE
    assert recording.seconds == pytest.approx(3, abs=LOST_ON_A_BUSY_MACHINE)
    assert len(attempt.spoken) == 2


@pytest.mark.any_database
async def test_what_is_to_be_said_without_a_link_is_heard_afterwards(
    desk: Desk, proxy: AmiProxy, telephones: Telephones
) -> None:
    number = own("99900")
    process = await begun(desk, number, replace(CHOICE, dtmf_timeout=2), told("Played"))
    async with without_link(proxy):
        await eventually(lambda: told("Timer")(process))
    _, attempt = await outcome(process, number)
    assert [entered.groups for entered in attempt.inputs] == [["nothing"]]
    phone = await telephones.only_call(number)
    assert phone.heard is not None
    heard = sum(sample not in SILENT for sample in phone.heard.read_bytes())
    assert heard / 8000 > 0.7 * sum(spoken.seconds for spoken in attempt.spoken)


@pytest.mark.any_database
async def test_a_telephone_that_rings_as_patience_ends_without_a_link_is_answered_and_hears_the_message(
    desk: Desk, proxy: AmiProxy, telephones: Telephones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is another trunk, to which nobody turns."""
    monkeypatch.setattr(live_attempt, "FAILOVER_SECONDS", PATIENCE_SECONDS)
    desk.routes = Routes([("", "trunk"), ("", "other")])
    number = own("999303")
    process = await desk.start(recovers=False)
    proxy.cut_after, proxy.refusing = b"Action: Originate", True
    process.run(await desk.claimed(process, number, Content(text="You hear this to its end.")))
    await telephones.answered(number)
    proxy.refusing = False
    _, attempt = await outcome(process, number)
    assert (attempt.status_id, attempt.hung_up_by, attempt.refused) == (5, "caller", [])
    (spoken,) = attempt.spoken
    phone = await telephones.only_call(number)
    assert phone.heard is not None
    assert phone.heard.stat().st_size / 8000 >= spoken.seconds

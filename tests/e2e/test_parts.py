"""Parts of the daemon die of what nobody foresaw: they are named and started again, and calls go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.e2e.faults.sitecustomize import PLACES, PRIVATE
from tests.e2e.operating import daemon_of, ended
from tests.e2e.running_lab import RunningLab, running_lab, until_is
from tests.e2e.test_calls import cdr_of, reports, send
from tests.e2e.test_outages import ready

NEEDED_FOR_NEW_CALLS = {"claiming", "link to"}


@pytest.fixture
def faults(lab_settings_only: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the names are of what fails."""
    folder = tmp_path / "faults"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).with_name("faults")))
    monkeypatch.setenv("FAULTS", str(folder))
    monkeypatch.setenv("CANNOT_LIVE_SECONDS", "600")
    return folder


@pytest.fixture
def own(faults: Path, tmp_path: Path) -> Iterator[RunningLab]:
    with running_lab(tmp_path / "lab") as lab:
        yield lab


async def parts_down(api: ClientSession, *names: str) -> bool:
    """Whether /readyz names all of these at once."""
    async with api.get("/readyz") as response:
        told = (await response.json())["checks"]["parts"]
        return response.status == 503 and all(name in told for name in names)


async def test_each_part_that_dies_is_named_and_lives_again_and_calls_go_on(own: RunningLab, faults: Path) -> None:
    async with ClientSession(own.url, headers=own.headers) as api:
        for number, part in enumerate(PLACES):
            (faults / part).touch()
            await until_is(lambda part=part: parts_down(api, part))  # type: ignore[misc]
            token = await send(api, f"99900{number:02}", "This is heard all the same.")
            if part not in NEEDED_FOR_NEW_CALLS:
                assert (await cdr_of(api, token, 60))["error"]["name"] == "VOICE_ANSWERED"
            (faults / part).unlink()
            assert (await ready(api, 200))["checks"]["parts"] == "ok"
            assert (await cdr_of(api, token, 60))["error"]["name"] == "VOICE_ANSWERED"
            assert len(await reports(api, messageId=token)) == 1
    log = own.lab.log("voicebridge").read_text()
    assert '"event": "part_failed"' in log
    assert "RuntimeError" in log
    assert PRIVATE not in log


async def test_a_part_that_cannot_live_stops_the_daemon_with_a_status_of_its_own(
    own: RunningLab, faults: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANNOT_LIVE_SECONDS", "3")
    own.lab.down()
    own.lab.up()
    async with ClientSession(own.url, headers=own.headers) as api:
        token = await send(api, "9990020", "This is said to its end before the daemon stops. " * 2)
        async with api.get(f"/voice/1/calls/{token}") as response:
            assert response.status == 200
        daemon = daemon_of(own)
        (faults / "expiry").touch()
        assert await ended(daemon) == 4
    assert own.lab.log("voicebridge").read_text().splitlines()[-1].startswith("PART_CANNOT_LIVE: expiry failed ")
    (faults / "expiry").unlink()
    assert own.lab.up() == ["voicebridge"]
    async with ClientSession(own.url, headers=own.headers) as api:
        assert (await cdr_of(api, token, 60))["error"]["name"] == "VOICE_ANSWERED"
        assert len(await reports(api, messageId=token)) == 1

"""One lab for all end-to-end tests: real Asterisks, real telephones, the real daemon."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import ClientSession

from tests.e2e.interactive import Sounds
from tests.e2e.running_lab import CALLER_ID, WEBHOOK_SECRET, RunningLab, running_lab


@pytest.fixture(scope="session", autouse=True)
def lab_settings_only() -> Iterator[None]:
    """What stands in the environment of the one who runs the tests reaches no lab."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("VOICEBRIDGE_")]:
            environment.delenv(name)
        environment.setenv("VOICEBRIDGE_CALLER_ID", CALLER_ID)
        environment.setenv("VOICEBRIDGE_WEBHOOK_SECRET", WEBHOOK_SECRET)
        yield


@pytest.fixture(scope="session")
def lab(lab_settings_only: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """The lab of this test run; it is stopped whatever happens."""
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
async def api(lab: RunningLab) -> AsyncIterator[ClientSession]:
    """An HTTP session with the daemon, logged in."""
    async with ClientSession(lab.url, headers=lab.headers) as session:
        yield session


@pytest.fixture
def sounds(lab: RunningLab, api: ClientSession) -> Sounds:
    """What the daemon's speech sounds like."""
    return Sounds(lab, api)

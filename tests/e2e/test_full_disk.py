"""A disk on which nothing more can be kept, under a daemon that runs on SQLite."""

from __future__ import annotations

import resource
from pathlib import Path

from aiohttp import ClientSession

from tests.e2e.running_lab import running_lab
from tests.e2e.test_outages import ready


async def test_readiness_says_that_nothing_can_be_kept_and_when_it_can_again(tmp_path: Path) -> None:
    with running_lab(tmp_path) as own:
        daemon = int(own.lab.environment()["VOICEBRIDGE_PID"])
        _, most = resource.prlimit(daemon, resource.RLIMIT_FSIZE)
        async with ClientSession(own.url, headers=own.headers) as api:
            resource.prlimit(daemon, resource.RLIMIT_FSIZE, (0, most))
            told = await ready(api, 503)
            assert told["checks"]["store"].startswith("the database refused: ")
            assert own.lab.up() == [], "the daemon itself is there"

            resource.prlimit(daemon, resource.RLIMIT_FSIZE, (most, most))
            assert (await ready(api, 200))["checks"]["store"] == "ok"

"""What end-to-end tests know about the lab, and how they wait."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import TypeVar

import aiohttp

from bridge.lab.lab import Lab
from bridge.lab.ports import Ports
from bridge.lab.telephones import PhoneCall

CALLER_ID = "41790009999"
"""Who calls when a message does not say."""

WEBHOOK_SECRET = f"whsec_{b64encode(token_bytes(32)).decode()}"
"""What the labs of this test run sign their pushes with."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class RunningLab:
    """A lab that runs: where its daemon answers, how to log in, and what its telephones heard."""

    lab: Lab

    @property
    def url(self) -> str:
        return self.lab.environment()["VOICEBRIDGE_URL"]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"App {self.lab.environment()['VOICEBRIDGE_API_KEY']}"}

    @property
    def basic_headers(self) -> dict[str, str]:
        environment = self.lab.environment()
        credentials = aiohttp.encode_basic_auth(environment["VOICEBRIDGE_USER"], environment["VOICEBRIDGE_PASSWORD"])
        return {"Authorization": credentials}

    @property
    def data_dir(self) -> Path:
        return Path(self.lab.environment()["VOICEBRIDGE_DATA_DIR"])

    @property
    def ports(self) -> Ports:
        return Ports(int(self.url.rpartition(":")[2]))

    def calls(self, number: str) -> list[PhoneCall]:
        """The finished calls of a telephone."""
        return self.lab.phone_calls(number)

    async def heard(self, number: str) -> bytes:
        """What a telephone heard in its latest call, once that is over: the samples, in the trunk's codec."""
        await self.until(lambda: bool(self.calls(number)))
        file = self.calls(number)[-1].heard
        assert file, f"{number} was not answered"
        await self.until(file.exists)
        return file.read_bytes()

    @staticmethod
    async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
        """Wait for a condition; the test fails when the time is over first."""

        async def checked() -> bool:
            return condition()

        await until_is(checked, seconds)


async def until_is(fetch: Callable[[], Awaitable[_T | None]], seconds: float = 30) -> _T:
    """Wait for the first true value; the test fails when the time is over first."""
    deadline = time.monotonic() + seconds
    while not (value := await fetch()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        await asyncio.sleep(0.02)
    return value


@contextmanager
def running_lab(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[RunningLab]:
    """A lab in a folder of its own; it is stopped whatever happens."""
    lab = Lab(folder, settings)
    try:
        lab.up()
        yield RunningLab(lab)
    finally:
        lab.down()

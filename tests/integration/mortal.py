"""An Asterisk of a test's own, which the test may stop and kill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING

from bridge.asterisk.ami.link import AmiLink
from bridge.telephony.errors import Rejected
from tests.integration.dialer_node import until_true

if TYPE_CHECKING:
    from tests.integration.conftest import RunningAsterisk


@dataclass(frozen=True)
class Mortal:
    """It runs, and there is a link to it."""

    asterisk: RunningAsterisk
    link: AmiLink

    @asynccontextmanager
    async def being_stopped(self) -> AsyncIterator[None]:
        """It begins no more calls, takes no more orders, and waits for the end of its calls; killed in the end."""
        stop = asyncio.create_task(asyncio.to_thread(self.asterisk.console, "core stop gracefully"))
        try:
            await until_true(self._takes_no_orders)
            yield
        finally:
            self.asterisk.kill()
            with suppress(TimeoutExpired):  # the command waits as long as Asterisk does
                await stop

    async def stop_no_more(self) -> None:
        """Have it go on as before."""
        await asyncio.to_thread(self.asterisk.console, "core abort shutdown")

    async def _takes_no_orders(self) -> bool:
        try:
            await self.link.send("Ping")
        except Rejected:
            return True
        return False

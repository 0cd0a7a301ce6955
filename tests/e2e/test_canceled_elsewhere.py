"""A bulk is canceled at another node than the one that makes its calls, on the same PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.chaos.fleet import HEADERS, Fleet, Node, start_fleet, stop_fleet
from tests.e2e.running_lab import until_is
from tests.e2e.test_bulk_canceled import standing
from tests.e2e.test_calls import reports
from tests.postgres import running_postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = "This is a long text that is still being said when the bulk is canceled. " * 10


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(lab_settings_only: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    with running_postgres() as postgres:
        fleet = await start_fleet([tmp_path_factory.mktemp(name) for name in ("here", "there")], postgres=postgres)
        yield fleet
        await stop_fleet(fleet)


async def talking(fleet: Fleet, api: ClientSession, name: str, number: str) -> tuple[Node, Node]:
    """Have a message told; return the node that calls, and the other one."""
    destinations = [{"to": number, "messageId": name}]
    retry = {"minPeriod": 1, "maxPeriod": 1, "maxCount": 4}
    body = {"bulkId": name, "messages": [{"destinations": destinations, "text": LONG, "retry": retry}]}
    async with api.post("/tts/3/advanced", json=body) as response:
        assert response.status == 200, await response.text()
    await standing(api, name, "in-progress")
    first, second = fleet.nodes
    return (first, second) if await first.channels() else (second, first)


async def cancel(node: Node, bulk_id: str) -> None:
    async with (
        ClientSession(node.url, headers=HEADERS) as api,
        api.put("/tts/3/bulks/status", params={"bulkId": bulk_id}, json={"status": "CANCELED"}) as response,
    ):
        assert await response.json() == {"bulkId": bulk_id, "status": "CANCELED"}


async def only_call_ended(fleet: Fleet, number: str) -> datetime:
    """When the telephone's one call was over."""

    async def calls() -> list[Any] | None:
        return list(fleet.phone_calls([number]).get(number, ())) or None

    (call,) = await until_is(calls)
    ended: datetime = call.ended
    return ended


async def test_the_call_of_another_node_is_hung_up_at_once_and_reported_once(fleet: Fleet) -> None:
    async with ClientSession(fleet.nodes[0].url, headers=HEADERS) as api:
        _, other = await talking(fleet, api, "elsewhere", "9990001")
        canceled_at = datetime.now(UTC)
        await cancel(other, "elsewhere")
        await standing(api, "elsewhere", "done")
        assert await only_call_ended(fleet, "9990001") - canceled_at < timedelta(seconds=10)
        (report,) = await reports(api, bulkId="elsewhere")
        assert report["error"]["id"] == 5000


async def test_a_call_is_hung_up_as_soon_as_there_is_a_link_again(fleet: Fleet) -> None:
    async with ClientSession(fleet.nodes[0].url, headers=HEADERS) as api:
        calling, other = await talking(fleet, api, "unlinked", "9990002")
        calling.proxy.cut()
        await cancel(other, "unlinked")
        assert len(await calling.channels()) == 1
        calling.proxy.mend()
        mended_at = datetime.now(UTC)
        await standing(api, "unlinked", "done")
        assert mended_at < await only_call_ended(fleet, "9990002") < mended_at + timedelta(seconds=10)
        (report,) = await reports(api, bulkId="unlinked")
        assert report["error"]["id"] == 5000

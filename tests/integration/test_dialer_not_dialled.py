"""Between the claim of a message and its Originate: what must not be dialled is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.asterisk import AmiLink, Switchboard
from bridge.dialer import AttemptRunner
from bridge.messages.attempt import Attempt
from bridge.messages.expansion import Destination, Order, expand
from bridge.messages.message import Content, DeliveryTimeWindow
from bridge.messages.progress import Progress, State
from bridge.outbound import Outbound
from bridge.reports.recordings import RecordingFiles
from bridge.speech import Speech, build_engines
from bridge.store import Claim, Store

if TYPE_CHECKING:
    from tests.integration.conftest import Telephones

DAY = timedelta(days=1)


class Desk:
    """A store and a runner of attempts on a real Asterisk."""

    def __init__(self, store: Store, runner: AttemptRunner) -> None:
        self.store = store
        self.runner = runner

    async def claimed(self, number: str, *, now: datetime, window: DeliveryTimeWindow | None = None) -> Claim:
        order = Order(Content(text="Hello", window=window), [Destination(number, number)])
        await self.store.accept(expand([order], account="acme", now=now, bulk_id=number))
        (claim,) = await self.store.claim_due(node="here", trunk="trunk", now=now, limit=1)
        return claim

    async def progress(self, message_id: str) -> Progress:
        progress = await self.store.progress("acme", message_id)
        assert progress is not None
        return progress


@pytest.fixture
async def desk(link: AmiLink, tmp_path: Path) -> AsyncIterator[Desk]:
    async def settled(_account: str, _bulk_id: str, _attempt: Attempt) -> None:
        """Nothing more happens here."""

    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    voice = Speech(cache_dir=tmp_path / "speech", engines=build_engines(("espeak-ng",)))
    await voice.start()
    runner = AttemptRunner(
        store=store,
        switchboard=Switchboard(link),
        speech=voice,
        recordings=RecordingFiles(tmp_path / "recordings"),
        outbound=Outbound(),
        caller_id=None,
        on_settled=settled,
    )
    yield Desk(store, runner)
    await voice.close()
    await store.close()


async def test_a_window_that_closes_after_the_claim_gives_the_message_back(desk: Desk, telephones: Telephones) -> None:
    tomorrow = datetime.now(UTC) + DAY
    claim = await desk.claimed("9990901", now=tomorrow, window=DeliveryTimeWindow(frozenset({tomorrow.weekday()})))
    await desk.runner.run(claim)
    progress = await desk.progress("9990901")
    assert (progress.state, progress.attempts) == (State.QUEUED, 0)
    assert await desk.store.attempts("acme", "9990901") == []
    assert telephones.calls("9990901") == []


async def test_an_attempt_that_is_canceled_before_originate_is_never_dialled(
    desk: Desk, telephones: Telephones
) -> None:
    claim = await desk.claimed("9990902", now=datetime.now(UTC))
    _, live = await desk.store.cancel_bulk("acme", "9990902")
    assert live == [claim.attempt.id]
    await desk.runner.cancel(live)
    await desk.runner.run(claim)
    progress = await desk.progress("9990902")
    assert (progress.state, progress.status_id, progress.error_id) == (State.DONE, 9, 5487)
    assert len(await desk.store.take_reports("acme")) == 1
    assert telephones.calls("9990902") == []


async def test_one_that_may_be_dialled_is(desk: Desk, telephones: Telephones) -> None:
    claim = await desk.claimed("9990903", now=datetime.now(UTC))
    await desk.runner.run(claim)
    assert (await desk.progress("9990903")).status_id == 5
    await telephones.only_call("9990903")

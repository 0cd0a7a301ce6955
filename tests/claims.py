"""Claims of due messages as the dialer makes them, on a trunk without limits."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.store import Claim, Claims, Store, TrunkLimit

BOUNDLESS = TrunkLimit("trunk", calls_per_second=1_000_000, max_calls=1_000_000)
AHEAD = timedelta(seconds=1)


async def ask(
    store: Store,
    now: datetime,
    *,
    limit: int = 1000,
    node: str = "here",
    of_trunk: str = "trunk",
    limit_of: TrunkLimit = BOUNDLESS,
) -> Claims:
    """What a node gets of the messages that are due."""
    return await store.calls.claim_due(
        node=node,
        asterisk="127.0.0.1:5038",
        of_trunk=of_trunk,
        limit_of=limit_of,
        clock=lambda: now,
        ahead=AHEAD,
        limit=limit,
    )


async def claim(store: Store, now: datetime, *, limit: int = 1000, node: str = "here") -> list[Claim]:
    """Messages that are due, each with its attempt."""
    return (await ask(store, now, limit=limit, node=node)).claims

"""Stand-ins: the trunks that can dial for another one while it is down."""

from __future__ import annotations

from bridge.messages.routes import Routes


def stand_ins(routes: Routes, trunk: str) -> list[str]:
    """The trunks that lead to every number of ``trunk``, the preferred one first."""
    by_prefix = [routes.trunks(prefix) for prefix, of_trunk in routes.pairs if of_trunk == trunk]
    return [
        other
        for other in (by_prefix[0] if by_prefix else [])
        if other != trunk and all(other in trunks for trunks in by_prefix)
    ]

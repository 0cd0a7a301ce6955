"""Routes: which trunks lead to which numbers, by prefix."""

from __future__ import annotations

from collections.abc import Iterable


class Routes:
    """Trunks by the prefixes of the numbers that they lead to; the empty prefix leads to every number."""

    def __init__(self, routes: Iterable[tuple[str, str]]) -> None:
        """``routes`` are pairs of prefix and trunk, a preferred trunk before those that stand in for it."""
        self.pairs = tuple(sorted(routes, key=lambda route: -len(route[0])))
        """The longest prefix first; trunks of the same prefix in the order in which they were given."""

    def trunks(self, number: str) -> list[str]:
        """The trunks to a number, the one of the longest prefix first; empty when none leads there."""
        return list(dict.fromkeys(trunk for prefix, trunk in self.pairs if number.startswith(prefix)))

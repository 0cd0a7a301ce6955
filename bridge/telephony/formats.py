"""Formats of numbers: how each trunk wants the called number and the caller id written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TrunkFormat:
    """What replaces a prefix of E.164 digits: ``{"41": "0", "": "00"}`` sends 0 for 41, and 00 before all others.

    The longest prefix counts; without one that fits the digits stay as they are. ``number`` is for called numbers,
    ``caller_id`` for caller ids.
    """

    number: Mapping[str, str] = field(default_factory=dict)
    caller_id: Mapping[str, str] = field(default_factory=dict)

    def number_sent(self, digits: str) -> str:
        """What the trunk is asked to call."""
        return _replaced(digits, self.number)

    def caller_id_sent(self, digits: str | None) -> str | None:
        """What the trunk is told to show; None leaves it to the trunk."""
        return None if digits is None else _replaced(digits, self.caller_id)


class Formats:
    """The formats of all trunks; a trunk without one is sent plain digits.

    ``caller_id`` is shown for messages that name none.
    """

    def __init__(self, trunks: Mapping[str, TrunkFormat] | None = None, caller_id: str | None = None) -> None:
        self._trunks = trunks or {}
        self._caller_id = caller_id

    def of(self, trunk: str) -> TrunkFormat:
        return self._trunks.get(trunk) or TrunkFormat()

    def sent(self, trunk: str, to: str, sender: str | None) -> tuple[str, str | None]:
        """The number and the caller id of a call as its trunk gets them."""
        of_trunk = self.of(trunk)
        return of_trunk.number_sent(to), of_trunk.caller_id_sent(sender or self._caller_id)


def _replaced(digits: str, places: Mapping[str, str]) -> str:
    """The digits, their prefix replaced. A prefix that is the whole number does not count: nothing would be left."""
    fitting = [prefix for prefix in places if digits.startswith(prefix) and prefix != digits]
    if not fitting:
        return digits
    prefix = max(fitting, key=len)
    return places[prefix] + digits.removeprefix(prefix)

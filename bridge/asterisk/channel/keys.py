"""Keys (DTMF) from AMI events: each key once, though Asterisk may tell its end twice."""

from __future__ import annotations

_ECHO_SECONDS = 0.4


class Keys:
    """One telephone's keys.

    While nothing is played, Asterisk makes a key that follows the last one within 45 ms (AST_MIN_DTMF_GAP) longer, and
    tells its end twice. Only the first end had a beginning (DTMFBegin); keys in SIP INFO have none at all.
    """

    def __init__(self) -> None:
        self._has_begun = False
        self._begin_is_told = False
        self._last = ("", 0.0)

    def begin(self) -> None:
        """Hear a DTMFBegin."""
        self._has_begun = self._begin_is_told = True

    def end(self, digit: str, now: float) -> bool:
        """Hear a DTMFEnd, at ``now`` in seconds; False when it tells of the last key once more."""
        last_digit, ended_at = self._last
        is_echo = self._begin_is_told and not self._has_begun and digit == last_digit and now - ended_at < _ECHO_SECONDS
        self._has_begun = False
        if not is_echo:
            self._last = (digit, now)
        return not is_echo

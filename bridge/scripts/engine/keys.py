"""Keys on a call: a buffer, so that none is lost before a step listens, and the rules by which keys make one input."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from bridge.scripts import limits

END = "#"


def masked(keys: str) -> str:
    """As many stars as there are keys."""
    return "*" * len(keys)


class KeyBuffer:
    """Keys that were pressed and that nobody has taken yet, with their times, oldest first."""

    def __init__(self) -> None:
        self._pressed: deque[tuple[str, float]] = deque()
        self._end_mark_until: float | None = None

    def __bool__(self) -> bool:
        return bool(self._pressed)

    def press(self, digit: str, now: float) -> bool:
        """Keeps a key; False when it only ends an input that was complete without it."""
        end_mark_until, self._end_mark_until = self._end_mark_until, None
        if digit == END and end_mark_until is not None and now <= end_mark_until:
            return False
        if len(self._pressed) < limits.MAX_KEYS_AHEAD:
            self._pressed.append((digit, now))
        return True

    def oldest(self) -> tuple[str, float]:
        """The key that comes next, and when it was pressed."""
        return self._pressed[0]

    def take(self) -> tuple[str, float]:
        """The key that comes next, no longer kept."""
        return self._pressed.popleft()

    def take_all(self) -> str:
        """All keys that nobody took."""
        keys = "".join(digit for digit, _ in self._pressed)
        self._pressed.clear()
        return keys

    def expect_end_mark(self, until: float) -> None:
        """An input is complete: people still press ``#`` after it, which is no new input up to ``until``."""
        if not self._pressed:
            self._end_mark_until = until
        elif self._pressed[0][0] == END and self._pressed[0][1] <= until:
            self._pressed.popleft()


class Entry:
    """One input as it is being entered.

    It is complete as soon as it can grow into none of ``codes``, unless it is none of them and ``max_keys`` asks for
    more; at ``max_keys``, at ``#``, when no key came for ``first_wait`` seconds, or ``gap`` seconds after the last.
    """

    def __init__(self, codes: Collection[str], max_keys: int | None, first_wait: float, gap: float, now: float) -> None:
        self.keys = ""
        self.deadline = now + first_wait
        self._codes = [code for code in codes if max_keys is None or len(code) <= max_keys]
        self._max_keys = max_keys
        self._gap = gap
        self._since = now
        self._last = now

    def take_from(self, buffer: KeyBuffer, now: float) -> bool:
        """Takes keys until the input is complete; returns whether it is. ``#`` alone is an input too."""
        while buffer:
            digit, pressed = buffer.oldest()
            if self.keys and self._is_too_late(pressed):
                return True
            buffer.take()
            if digit == END:
                self.keys = self.keys or END
                return True
            self.keys += digit
            self._last = pressed
            self.deadline = max(pressed, self._since) + self._gap
            if self._is_complete():
                buffer.expect_end_mark(pressed + self._gap)
                return True
        return now >= self.deadline

    def _is_too_late(self, pressed: float) -> bool:
        was_typed_ahead = pressed <= self._since
        return pressed - self._last > self._gap if was_typed_ahead else pressed >= self.deadline

    def _is_complete(self) -> bool:
        if self._max_keys is not None and len(self.keys) >= self._max_keys:
            return True
        if any(code != self.keys and code.startswith(self.keys) for code in self._codes):
            return False
        return self.keys in self._codes or self._max_keys is None

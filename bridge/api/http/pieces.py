"""Reading of large JSON in pieces: while the library reads, nothing else runs in this process, and calls wait."""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import from_json

PIECE = 32_000
"""Bytes that are read at once, if they hold more than one value."""

MOST_VALUES = 1_000_000
"""In one body; 100,000 destinations with their ids are 300,000. To free more would take too long."""

_DEEPEST = 200
"""Containers inside containers, as in the library."""

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},]', re.DOTALL)
_BLANK = b" \t\n\r"


class _Container:
    """An array or object that the scan is in; ``value`` has the entries read so far, None while there are none."""

    __slots__ = ("entry", "is_object", "is_read_up", "start", "unread", "value")

    def __init__(self, start: int, *, is_object: bool) -> None:
        self.start = start
        self.is_object = is_object
        self.value: Any = None
        self.unread = start + 1
        """Where the part begins that is not read yet."""
        self.entry = start + 1
        """Where the entry begins that the scan has reached."""
        self.is_read_up = False
        """Whether the entry is read; then only a comma or the end may follow."""


def read_json(body: bytes, piece: int = PIECE) -> Any:
    """What ``pydantic_core.from_json`` makes of a JSON text (RFC 8259). Raises ValueError."""
    return _Reader(body, piece).read() if len(body) > piece else _value(body)


class _Reader:
    def __init__(self, body: bytes, piece: int) -> None:
        self._body = body
        self._piece = piece
        self._open: list[_Container] = []
        self._whole: _Container | None = None
        self._values = 0

    def read(self) -> Any:
        for token in _TOKEN.finditer(self._body):
            at = token.start()
            match self._body[at : at + 1]:
                case b"[" | b"{" as mark:
                    self._begin(at, is_object=mark == b"{")
                case b",":
                    self._separate(at)
                case b"]" | b"}":
                    self._end(at)
        if self._whole is None or self._whole.value is None:
            return _value(self._body)
        self._refuse_all_but_blanks(0, self._whole.start)
        self._refuse_all_but_blanks(self._whole.unread, len(self._body))
        return self._whole.value

    def _begin(self, at: int, *, is_object: bool) -> None:
        if self._whole is not None or len(self._open) == _DEEPEST:
            raise ValueError(f"nothing more may begin at byte {at}")
        self._count()
        self._open.append(_Container(at, is_object=is_object))

    def _separate(self, at: int) -> None:
        if not self._open:
            raise ValueError(f"nothing is open at byte {at}")
        self._count()
        container = self._open[-1]
        if container.is_read_up or at - container.unread >= self._piece:
            self._read_up_to(container, at)
        container.entry = at + 1

    def _end(self, at: int) -> None:
        if not self._open:
            raise ValueError(f"nothing is open at byte {at}")
        container = self._open.pop()
        if container.value is not None:
            self._close(container, at)
        if not self._open:
            self._whole = container

    def _count(self) -> None:
        self._values += 1
        if self._values > MOST_VALUES:
            raise ValueError(f"it has more than {MOST_VALUES} values")

    def _close(self, closed: _Container, at: int) -> None:
        if self._body[at : at + 1] != (b"}" if closed.is_object else b"]"):
            raise ValueError(f"another end was expected at byte {at}")
        self._read_up_to(closed, at)
        if self._open:
            self._adopt(self._open[-1], closed)
            self._open[-1].unread = at + 1

    def _read_up_to(self, container: _Container, end: int) -> None:
        """Read the entries that are not read yet; ``end`` is where a comma or the container's end stands."""
        if container.is_read_up:
            self._refuse_all_but_blanks(container.unread, end)
            container.is_read_up = False
        else:
            self._read(container, end)
        container.unread = end + 1

    def _read(self, container: _Container, end: int) -> None:
        text = self._body[container.unread : end]
        entries = _value(b"{%b}" % text if container.is_object else b"[%b]" % text)
        if not entries:
            raise ValueError(f"a value was expected at byte {end}")
        if container.value is None:
            container.value = entries
        elif container.is_object:
            container.value.update(entries)
        else:
            container.value.extend(entries)

    def _adopt(self, container: _Container, entry: _Container) -> None:
        """Take over an entry that was read piece by piece."""
        if container.is_read_up:
            raise ValueError(f"a comma was expected at byte {entry.start}")
        if container.unread < container.entry:
            self._read(container, container.entry - 1)
        if container.value is None:
            container.value = {} if container.is_object else []
        if container.is_object:
            container.value[self._key(container.entry, entry.start)] = entry.value
        else:
            self._refuse_all_but_blanks(container.entry, entry.start)
            container.value.append(entry.value)
        container.is_read_up = True

    def _key(self, start: int, end: int) -> str:
        written = self._body[start:end].rstrip(_BLANK)
        key = _value(written.removesuffix(b":")) if written.endswith(b":") else None
        if not isinstance(key, str):
            raise ValueError(f"a key was expected at byte {start}")  # noqa: TRY004  so are all that refuse
        return key

    def _refuse_all_but_blanks(self, start: int, end: int) -> None:
        if self._body[start:end].strip(_BLANK):
            raise ValueError(f"a comma or an end was expected at byte {start}")


def _value(text: bytes) -> Any:
    return from_json(text, allow_inf_nan=False)

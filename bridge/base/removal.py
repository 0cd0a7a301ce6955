"""Removing many things: one that cannot be removed does not keep the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

_AT_ONCE = 100
_MOST_FAILURES = 10
"""After so many failures the cause is not in the single things."""

_T = TypeVar("_T")


def remove_all(paths: Iterable[Path]) -> None:
    """Remove the files that exist. Raises the first OSError, after the others are removed."""
    failure: OSError | None = None
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            failure = failure or error
    if failure is not None:
        raise failure


async def remove_each(find: Callable[[int], Awaitable[Sequence[_T]]], remove: Callable[[_T], Awaitable[None]]) -> int:
    """Remove what ``find`` returns, until it returns nothing new; return how many were removed.

    ``find`` is given how many to return at most. What cannot be removed is passed over; the first failure is raised at
    the end, or after the tenth.
    """
    removed, passed_over, failures = 0, list[_T](), list[Exception]()
    while some := [one for one in await find(_AT_ONCE + len(passed_over)) if one not in passed_over]:
        for one in some:
            try:
                await remove(one)
                removed += 1
            except Exception as error:
                passed_over.append(one)
                failures.append(error)
                if len(failures) == _MOST_FAILURES:
                    raise failures[0] from None
    if failures:
        raise failures[0]
    return removed

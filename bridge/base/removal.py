"""Files that are removed, many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def remove_all(paths: Iterable[Path]) -> None:
    """Remove each that is there. Raises OSError of the first that cannot be removed, when all others are."""
    failure: OSError | None = None
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            failure = failure or error
    if failure is not None:
        raise failure

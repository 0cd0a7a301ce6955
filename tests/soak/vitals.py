"""Vital signs of a process over time: its memory and its open files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look at a process; ``rss`` in kB (``VmRSS`` of proc(5)), ``files`` are its open descriptors."""

    rss: int
    files: int


def vitals(pid: int) -> Vitals:
    """Raises OSError when the process is gone."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    rss = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    return Vitals(rss, sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))


def growth(samples: Sequence[int]) -> tuple[float, float]:
    """How far the last quarter lies above the second one, and as a share of it: the first one is the warm-up."""
    quarter = max(1, len(samples) // 4)
    before, after = median(samples[quarter : 2 * quarter] or samples), median(samples[-quarter:])
    return after - before, (after - before) / max(before, 1)

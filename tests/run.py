"""``make test``: every check and every test, a part after the other; at the end, how long each took and which failed.

Run by the system's own Python, so standard library only.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

PYTEST = ".venv/bin/pytest"
PARTS = {
    "preparing": [sys.executable, "-m", "bridge.lab.prepare", "test"],
    "lint": ["make", "--no-print-directory", "lint"],
    "tests side by side": [
        *(PYTEST, "-n", "5", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not alone"),
        *("tests/e2e", "tests/integration", "tests/chaos", "tests/unit"),
    ],
    "tests that need the machine alone": [PYTEST, "-m", "alone", "tests/integration", "tests/e2e", "tests/chaos"],
}


def run(parts: Mapping[str, Sequence[str]]) -> int:
    """Run the commands up to the first that fails, and return its exit status, or 0."""
    status, lines, began = 0, [], time.monotonic()
    for number, (name, command) in enumerate(parts.items(), 1):
        if status:
            lines.append(_line(name, "not run"))
            continue
        print(f"\n== {number} of {len(parts)}: {name}", flush=True)
        part_began = time.monotonic()
        status = _status(command)
        took = f"{time.monotonic() - part_began:.0f} s"
        lines.append(_line(name, f"{took}, failed ({status})" if status else took))
    lines.append(_line("in all", f"{time.monotonic() - began:.0f} s"))
    print("\n== how long it took", *lines, sep="\n", flush=True)
    return status


def _status(command: Sequence[str]) -> int:
    with subprocess.Popen(command) as process:
        # A terminal interrupts the command as well, which ends what it has started; other signals are passed on to it.
        signal.signal(signal.SIGINT, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: process.send_signal(number))
        return process.wait()


def _line(name: str, what: str) -> str:
    return f"{name:36}{what}"


if __name__ == "__main__":
    sys.exit(run(PARTS))

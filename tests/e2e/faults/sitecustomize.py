"""Found by Python as it starts: gives the daemon faults that nobody foresaw, while a file of their name is there."""

from __future__ import annotations

import functools
import importlib
import os
import sys
from pathlib import Path
from typing import Any

PLACES = {
    "retention": ("bridge.reports.retention", "Retention", "sweep"),
    "push": ("bridge.store.outbox", "Outbox", "claim"),
    "trunk watch": ("bridge.asterisk.trunks", "TrunkWatch", "look"),
    "recovery": ("bridge.store.calls", "Calls", "open_of"),
    "expiry": ("bridge.store.messages", "Messages", "expire"),
    "claiming": ("bridge.store.calls", "Calls", "claim_due"),
    "lease": ("bridge.store.nodes", "Nodes", "renew"),
    "link to": ("bridge.asterisk.ami.wire", "AmiProtocol", "silent_seconds"),
}
"""Each part, and what it does again and again."""
OTHERS = {"accept": ("bridge.store.messages", "Messages", "accept")}
PRIVATE = "zq7hostile"
"""What a caller has sent, and a fault may quote."""


def _may_fail(fault: Path, owner: type, method: str) -> None:
    whole = getattr(owner, method)

    @functools.wraps(whole)
    def failing(*args: Any, **kwargs: Any) -> Any:
        if fault.exists():
            raise RuntimeError(PRIVATE)
        return whole(*args, **kwargs)

    setattr(owner, method, failing)


if "serve" in sys.orig_argv and (folder := os.environ.get("FAULTS")):
    for fault, (module, owner, method) in (PLACES | OTHERS).items():
        _may_fail(Path(folder) / fault, getattr(importlib.import_module(module), owner), method)
    backoff = importlib.import_module("bridge.base.backoff")
    for module, name, value in (
        ("bridge.reports.retention", "_EVERY_SECONDS", 0.2),
        ("bridge.dialer.recovery", "_EVERY_SECONDS", 0.2),
        ("bridge.base.tasks", "RESTS", backoff.Waits(first=1.0, longest=2.0, jitter=0.5)),
        ("bridge.base.tasks", "CANNOT_LIVE_SECONDS", float(os.environ["CANNOT_LIVE_SECONDS"])),
    ):
        setattr(importlib.import_module(module), name, value)

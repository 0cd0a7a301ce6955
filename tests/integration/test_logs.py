"""What callers sent is not in the log, by whatever exception, thread, task or library it comes there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PRIVATE = "zq7hostile"


def test_no_exception_brings_what_callers_sent_into_the_log() -> None:
    program = Path(__file__).with_name("hostile_log.py")
    done = subprocess.run([sys.executable, program, PRIVATE], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert PRIVATE not in done.stderr + done.stdout
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    by_event: dict[str, list[dict[str, str]]] = {}
    for line in lines:
        by_event.setdefault(line["event"], []).append(line)
    assert set(by_event) == {
        "by_itself", "as_a_reason", "as_a_tuple", "library", "crashed", "lost_on_the_loop", "refused",
    }  # fmt: skip
    told = by_event["by_itself"]
    assert {line["error"] for line in told} >= {"ValidationError", "KeyError", "INVALID_SCRIPT", "VOICE_UNKNOWN"}
    assert all("hostile_log.py:" in line["where"] for line in told)
    assert any(line["error"] == "FileNotFoundError: No such file or directory" for line in told)
    assert len(by_event["lost_on_the_loop"]) >= 2 * len(told)
    assert len(by_event["crashed"]) == len(told) + 1
    assert by_event["refused"][0]["reason"] == "the database refused: UniqueViolation 23505"

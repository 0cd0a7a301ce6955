"""What ``make test`` tells at its end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.run import PARTS, run

GOOD, BAD = [sys.executable, "-c", ""], [sys.executable, "-c", "raise SystemExit(3)"]


def test_each_part_is_told_with_its_time(capfd: pytest.CaptureFixture[str]) -> None:
    assert run({"lint": GOOD, "tests": GOOD}) == 0
    told = capfd.readouterr().out
    assert [f"== {part}" in told for part in ("1 of 2: lint", "2 of 2: tests")] == [True, True]
    assert re.search(r"\nlint +\d+ s\ntests +\d+ s\nin all +\d+ s\n$", told)


def test_the_part_that_failed_is_told_and_ends_the_run(capfd: pytest.CaptureFixture[str]) -> None:
    assert run({"lint": GOOD, "tests": BAD, "more tests": GOOD}) == 3
    assert re.search(
        r"\nlint +\d+ s\ntests +\d+ s, failed \(3\)\nmore tests +not run\nin all +\d+ s\n$", capfd.readouterr().out
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_still_tells_what_took_how_long(number: signal.Signals) -> None:
    ends = f"signal.signal({number:d}, lambda *_: sys.exit(5))"
    part = f"import signal, sys; {ends}; print('on', flush=True); signal.pause()"
    whole = f"import sys; from tests.run import run; sys.exit(run({{'tests': [sys.executable, '-c', {part!r}]}}))"
    with subprocess.Popen(
        [sys.executable, "-c", whole], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "on\n":
            pass
        send = os.killpg if number is signal.SIGINT else os.kill  # a terminal interrupts all that runs in it
        send(process.pid, number)
        assert "failed (5)" in process.stdout.read()
    assert process.returncode == 5


def test_every_ring_is_run() -> None:
    commands = " ".join(argument for command in PARTS.values() for argument in command)
    assert all(f"tests/{ring}" in commands for ring in ("unit", "integration", "e2e", "chaos"))

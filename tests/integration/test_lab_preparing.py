"""What `make` does before anything else: nothing when all is there, and nothing where it must not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridge.lab.prepare import prepare
from bridge.lab.processes import Process, start, stop, until
from bridge.lab.programs import AsteriskMissing, find_asterisk
from bridge.lab.steps import StepFailed, Steps

COMMAND = [sys.executable, "-m", "bridge.lab.prepare", "lab"]


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No program is installed, nobody is root; returns the folder of the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda *_arguments, **_options: None)
    return tmp_path / "cache"


def test_without_root_it_says_what_to_install_and_changes_nothing(bare_machine: Path) -> None:
    with pytest.raises(StepFailed, match=r"(?s)ffmpeg.*sip-tester.*asterisk \(version 20.*Docker.*Nothing was changed"):
        prepare("test")
    assert not bare_machine.exists()


def test_without_asterisk_it_says_how_to_get_one(bare_machine: Path) -> None:
    with pytest.raises(AsteriskMissing, match="Docker"):
        find_asterisk()


def test_when_all_is_there_it_is_silent_and_quick() -> None:
    first = subprocess.run(COMMAND, capture_output=True, text=True, check=True)
    began = time.monotonic()
    again = subprocess.run(COMMAND, capture_output=True, text=True, check=True)
    assert time.monotonic() - began < 10
    assert (first.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_step_that_fails_shows_its_output_and_ends_the_others(tmp_path: Path) -> None:
    steps = Steps(tmp_path / "log")
    running = tmp_path / "running"
    long = f"echo $$ > {running}; exec sleep 600"
    short = f"until test -s {running}; do :; done; echo the mirror is gone; false"
    with pytest.raises(StepFailed, match="the mirror is gone"):
        steps.together({"long": lambda: steps.call("sh", "-c", long), "short": lambda: steps.call("sh", "-c", short)})
    assert not Path(f"/proc/{running.read_text().strip()}").exists()


def test_only_the_process_that_was_started_is_stopped(tmp_path: Path) -> None:
    process = start(["sleep", "600"], os.environ, tmp_path / "log", None)
    recycled = Process(process.pid, process.born + "1")
    stop(recycled, 20)
    assert process.alive
    assert not recycled.alive
    stop(process, 20)
    assert not process.alive


def test_a_process_that_does_not_listen_is_ended(tmp_path: Path) -> None:
    deaf = "trap '' TERM; echo deaf; while :; do sleep 600; done"
    process = start(["sh", "-c", deaf], os.environ, tmp_path / "log", None)
    assert until(lambda: "deaf" in (tmp_path / "log").read_text(), 30)
    stop(process, 2)
    assert not process.alive
    os.killpg(process.pid, signal.SIGKILL)

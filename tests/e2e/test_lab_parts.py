"""Starting, mending and stopping labs, as `make lab` and `make lab-down` do."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bridge.lab.lab
from bridge.lab.lab import Lab, LabFailed
from bridge.lab.processes import until
from bridge.lab.setup import OWN_CARRIER, SettingsRefused
from tests.e2e.running_lab import RunningLab
from tests.ports import free_port

KEYS = [
    "VOICEBRIDGE_URL",
    "VOICEBRIDGE_API_KEY",
    "VOICEBRIDGE_USER",
    "VOICEBRIDGE_PASSWORD",
    "VOICEBRIDGE_DATABASE_URL",
    "VOICEBRIDGE_DATA_DIR",
    "VOICEBRIDGE_PID",
    "ASTERISK_PID",
    "ASTERISK_AMI",
]


@pytest.fixture
def second_lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "second")
    try:
        yield lab
    finally:
        lab.down()


def processes_of(lab: Lab) -> list[str]:
    """The commands of all processes that name the lab's folder."""
    shown = subprocess.run(["ps", "-eo", "stat,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if f"{lab.directory}/" in line and not line.startswith("Z")]


def test_labs_stand_side_by_side_and_end_alone(lab: RunningLab, second_lab: Lab) -> None:
    assert second_lab.up() == ["carrier", "asterisk", "voicebridge"]
    environment = second_lab.environment()
    assert list(environment) == KEYS
    assert environment["VOICEBRIDGE_URL"] != lab.url
    assert stat.S_IMODE((second_lab.directory / "env").stat().st_mode) == 0o600

    second_lab.down()

    assert processes_of(second_lab) == []
    assert not Path(f"/proc/{environment['VOICEBRIDGE_PID']}").exists()
    assert (second_lab.directory / "env").exists()
    assert lab.lab.up() == []


def test_what_is_not_running_is_started_and_the_rest_left_alone(second_lab: Lab) -> None:
    second_lab.up()
    before = second_lab.environment()
    os.kill(int(before["VOICEBRIDGE_PID"]), signal.SIGKILL)
    assert second_lab.up() == ["voicebridge"]
    after = second_lab.environment()
    assert after["VOICEBRIDGE_PID"] != before.pop("VOICEBRIDGE_PID")
    assert {**after, **before} == after


def test_another_network_takes_the_carriers_place(second_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as network:
        network.bind(("127.0.0.1", 0))
        network.settimeout(60)
        monkeypatch.setenv("VOICEBRIDGE_TRUNK_URI", f"sip:127.0.0.1:{network.getsockname()[1]}")
        assert second_lab.up() == ["asterisk", "voicebridge"]
        assert network.recv(4096).startswith(b"OPTIONS sip:127.0.0.1")


def test_settings_of_the_user_reach_the_daemon(
    second_lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VOICEBRIDGE_DATA_DIR", str(tmp_path / "elsewhere"))
    second_lab.up()
    assert second_lab.environment()["VOICEBRIDGE_DATA_DIR"] == str(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere").is_dir()


def test_a_part_that_does_not_start_shows_its_log_and_leaves_nothing(
    second_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEBRIDGE_DATABASE_URL", "sqlite:////proc/nowhere.db")
    with pytest.raises(LabFailed, match=r"(?s)voicebridge ended.*cannot be opened"):
        second_lab.up()
    assert processes_of(second_lab) == []
    assert not second_lab.running


def test_a_trunk_that_refuses_the_registration_is_told_and_starts_all_the_same(
    second_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = {"name": "main", "uri": OWN_CARRIER, "user": "stranger", "password": "secret", "register": True}
    monkeypatch.setenv("VOICEBRIDGE_TRUNKS", json.dumps([stranger]))
    refused = "trunk: Asterisk is not registered: main rejected"
    second_lab.up()
    assert until(lambda: second_lab.problems() == [refused], 180)

    os.kill(int(second_lab.environment()["VOICEBRIDGE_PID"]), signal.SIGKILL)
    assert second_lab.up() == ["voicebridge"]

    assert until(lambda: second_lab.problems() == [refused], 180)
    command = [sys.executable, "-m", "bridge.lab", "up"]
    environment = os.environ | {"LAB_DIR": str(second_lab.directory)}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True).stdout
    assert f"Everything was running.\nNo call can be made now: {refused}\n" in shown


def test_a_daemon_that_finds_no_asterisk_says_so_in_the_labs_failure(
    second_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    second_lab.up()
    os.kill(int(second_lab.environment()["VOICEBRIDGE_PID"]), signal.SIGKILL)
    monkeypatch.setattr(bridge.lab.lab, "READY_WITHIN", 30.0)
    nowhere = free_port(socket.SOCK_STREAM)
    with pytest.raises(LabFailed, match=f"was not ready after 30 s; asterisk: 127.0.0.1:{nowhere}: .*refused"):
        Lab(second_lab.directory, ami_port=nowhere).up()


def test_a_setting_that_cannot_be_is_refused(second_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBRIDGE_LOG_LEVEL", "shouting")
    with pytest.raises(SettingsRefused, match="VOICEBRIDGE_LOG_LEVEL"):
        second_lab.up()
    assert processes_of(second_lab) == []


def test_a_path_that_asterisk_cannot_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabFailed, match="LAB_DIR"):
        Lab(tmp_path / "a folder")


def test_the_demo_shows_a_call_and_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "demo")
    command = [sys.executable, "-m", "bridge.lab", "demo"]
    environment = os.environ | {"LAB_DIR": str(lab.directory)}

    shown = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True).stdout
    assert [shown.index(what) for what in ("dialled", "ringing", "answered", "spoken", "hung up", "DELIVERED")]
    assert "What the telephone heard" in shown
    assert processes_of(lab) == []

    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        assert until(lambda: "answered" in (demo.stdout.readline() if demo.stdout else ""), 90)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 130
    assert processes_of(lab) == []

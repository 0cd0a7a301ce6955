"""``voicebridge asterisk-config``: what it writes, and a real Asterisk that is started from it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from bridge.admin.asterisk_config import NoSuchAsterisk, SettingMissing, write_configuration
from bridge.asterisk.ami.address import AmiAddressInvalid
from bridge.lab.processes import until
from bridge.lab.programs import Program
from bridge.settings import Settings
from tests.ports import free_port

AMI_SECRET = "a;secret%with:signs"
AMI_SECRET_IN_URL = "a%3Bsecret%25with%3Asigns"


def settings_for(folder: Path, **others: object) -> Settings:
    values: dict[str, object] = {
        "data_dir": folder / "data",
        "api_key": SecretStr("key"),
        "ami_url": SecretStr(f"ami://daemon:{AMI_SECRET_IN_URL}@127.0.0.1:5999"),
        "trunk_uri": "sip:sip.example.net:5080",
        "asterisk_state_dir": folder / "state",
    }
    return Settings.model_validate(values | others)


def written(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_the_files_to_include_hold_the_trunk_and_the_ami_account(tmp_path: Path) -> None:
    write_configuration(
        tmp_path / "etc", settings_for(tmp_path, trunk_codecs=("alaw",), trunk_dtmf="info"), complete=False
    )

    files = written(tmp_path / "etc")
    assert all(name.startswith("voicebridge/") for name in files)
    assert "contact = sip:sip.example.net:5080" in files["voicebridge/pjsip-trunk-trunk.conf"]
    assert "allow = alaw\n" in files["voicebridge/pjsip-trunk-trunk.conf"]
    assert "dtmf_mode = info" in files["voicebridge/pjsip-trunk-trunk.conf"]
    assert "[daemon]" in files["voicebridge/manager.conf"]
    assert "secret = a\\;secret%with:signs\n" in files["voicebridge/manager.conf"]
    assert "type = auth" not in files["voicebridge/pjsip-trunk-trunk.conf"]
    assert not (tmp_path / "state").exists()


def test_a_trunk_with_an_account_registers_only_when_it_is_told_to(tmp_path: Path) -> None:
    account = {"trunk_user": "385100", "trunk_password": SecretStr("trunk;password")}

    write_configuration(tmp_path / "plain", settings_for(tmp_path, **account), complete=False)
    write_configuration(tmp_path / "registered", settings_for(tmp_path, **account, trunk_register=True), complete=False)

    plain, registered = (
        written(tmp_path / name)["voicebridge/pjsip-trunk-trunk.conf"] for name in ("plain", "registered")
    )
    assert "password = trunk\\;password\n" in plain
    assert "type = registration" not in plain
    assert "server_uri = sip:sip.example.net:5080\n" in registered
    assert "client_uri = sip:385100@sip.example.net\n" in registered


def test_several_trunks_are_written_and_those_that_asterisk_has_already_are_not(tmp_path: Path) -> None:
    trunks = [
        {"name": "main", "uri": "sip:main.example", "user": "me", "password": "secret", "register": True},
        {"name": "spare", "uri": "sip:spare.example:5080", "codecs": ["g722"], "dtmf": "info"},
        {"name": "freepbx-trunk"},
    ]
    write_configuration(tmp_path / "etc", settings_for(tmp_path, trunks=trunks), complete=False)

    files = written(tmp_path / "etc")
    assert sorted(name for name in files if "pjsip-" in name) == [
        "voicebridge/pjsip-trunk-main.conf",
        "voicebridge/pjsip-trunk-spare.conf",
    ]
    assert "client_uri = sip:me@main.example\n" in files["voicebridge/pjsip-trunk-main.conf"]
    assert "[spare]\ntype = aor\ncontact = sip:spare.example:5080\n" in files["voicebridge/pjsip-trunk-spare.conf"]
    with pytest.raises(SettingMissing, match="freepbx-trunk"):
        write_configuration(tmp_path / "etc", settings_for(tmp_path, trunks=trunks), complete=True)


def test_of_several_asterisks_the_one_that_is_meant_gets_its_account(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, ami_url=SecretStr("ami://one:1@pbx1, ami://two:2@127.0.0.1:5039"))

    write_configuration(tmp_path / "one", settings, complete=False, asterisk="pbx1:5038")
    write_configuration(tmp_path / "two", settings, complete=False, asterisk="127.0.0.1:5039")

    assert "[one]\nsecret = 1\n" in written(tmp_path / "one")["voicebridge/manager.conf"]
    assert "[two]\nsecret = 2\n" in written(tmp_path / "two")["voicebridge/manager.conf"]
    for unclear in (None, "pbx1:5039"):
        with pytest.raises(NoSuchAsterisk, match=r"pbx1:5038 or 127\.0\.0\.1:5039"):
            write_configuration(tmp_path / "etc", settings, complete=False, asterisk=unclear)
    assert not (tmp_path / "etc").exists()


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    write_configuration(tmp_path / "etc", settings_for(tmp_path), complete=True)

    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "etc").rglob("*") if file.is_file()} == {0o600}


def test_ami_listens_where_the_daemon_looks_for_it(tmp_path: Path) -> None:
    for host, listens in [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("pbx.example.net", "0.0.0.0")]:
        etc = tmp_path / host
        write_configuration(
            etc, settings_for(tmp_path, ami_url=SecretStr(f"ami://daemon:secret@{host}:5999")), complete=True
        )
        assert f"bindaddr = {listens}\n" in written(etc)["manager.conf"]


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ({"trunk_uri": None}, "VOICEBRIDGE_TRUNK_URI"),
        ({"trunk_register": True}, "VOICEBRIDGE_TRUNK_USER"),
    ],
)
def test_a_setting_that_is_missing_is_named_and_nothing_is_written(
    tmp_path: Path, missing: dict[str, object], named: str
) -> None:
    with pytest.raises(SettingMissing, match=named):
        write_configuration(tmp_path / "etc", settings_for(tmp_path, **missing), complete=True)
    assert not (tmp_path / "etc").exists()


def test_without_a_secret_for_ami_nothing_is_written(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "trunk_uri": "sip:sip.example.net"})
    with pytest.raises(AmiAddressInvalid, match="VOICEBRIDGE_AMI_URL"):
        write_configuration(tmp_path / "etc", settings, complete=False)
    assert not (tmp_path / "etc").exists()


@dataclass(frozen=True)
class Commands:
    """``voicebridge`` on the command line, with settings from the environment."""

    settings: dict[str, str]

    def run(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", "from bridge.cli import main; main()", *arguments],
            cwd=Path(__file__).parents[2],
            env={"PATH": os.environ["PATH"]}
            | {f"VOICEBRIDGE_{name.upper()}": value for name, value in self.settings.items()},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout


@contextmanager
def asterisk_from(program: Program, configuration: Path) -> Iterator[None]:
    asterisk = [*program.command, "-C", str(configuration / "asterisk.conf")]
    process = subprocess.Popen([*asterisk, "-f"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        wait = [*asterisk, "-rx", "core waitfullybooted"]
        assert until(lambda: b"booted" in subprocess.run(wait, capture_output=True, check=False).stdout, 20)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_an_asterisk_starts_from_it_lets_the_daemon_in_and_watches_the_trunk(program: Program, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent_trunk:
        silent_trunk.bind(("127.0.0.1", 0))
        silent_trunk.settimeout(20)
        voicebridge = Commands(
            {
                "data_dir": str(tmp_path / "data"),
                "ami_url": f"ami://daemon:{AMI_SECRET_IN_URL}@127.0.0.1:{free_port(socket.SOCK_STREAM)}",
                "trunk_uri": f"sip:127.0.0.1:{silent_trunk.getsockname()[1]}",
                "asterisk_module_dir": str(program.module_dir),
                "asterisk_data_dir": str(program.data_dir),
                "asterisk_state_dir": str(tmp_path / "state"),
                "asterisk_sip_host": "127.0.0.1",
                "asterisk_sip_port": str(free_port(socket.SOCK_DGRAM)),
            }
        )
        voicebridge.run("asterisk-config", str(tmp_path / "etc"), "--complete")
        with asterisk_from(program, tmp_path / "etc"):
            assert silent_trunk.recv(4096).startswith(b"OPTIONS sip:127.0.0.1")
            told = voicebridge.run("doctor")

    assert "ok      AMI login" in told
    assert "failed  trunk trunk: trunk does not answer" in told

"""Configuration files hold what was set, and nothing that was not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.asterisk.configuration import (
    Account,
    AsteriskSettings,
    Manager,
    Registration,
    Trunk,
    UnsafeSetting,
    render,
    render_drop_in,
)

TRUNK = Trunk("main", "sip:sip.carrier.example:5080")
REGISTRATION = Registration("sip:reg.carrier.example", "sip:38512345@reg.carrier.example")
ACCOUNT = Account("38512345", "pass;word", REGISTRATION)
MANAGER = Manager("secret;with = signs", user="vb", port=15038, permit="10.0.0.0/8")


def settings(folder: Path) -> AsteriskSettings:
    return AsteriskSettings(
        trunks=[TRUNK],
        manager=MANAGER,
        module_dir=Path("/usr/lib/asterisk/modules"),
        data_dir=Path("/usr/share/asterisk"),
        state_dir=folder / "state",
        sip_port=15060,
        rtp_first=12000,
        rtp_last=12999,
    )


def written(folder: Path) -> dict[str, str]:
    """The files below the folder, comments left out, as Asterisk reads values: an escaped semicolon is one."""
    return {
        str(path.relative_to(folder)): re.sub(r"(?m)(?<!\\);.*$", "", path.read_text()).replace("\\;", ";")
        for path in sorted(folder.rglob("*.conf"))
    }


def test_the_complete_set_holds_ports_folders_secrets_and_the_trunk(tmp_path: Path) -> None:
    render(tmp_path / "etc", settings(tmp_path))
    files = written(tmp_path / "etc")
    assert f"astetcdir => {tmp_path}/etc\n" in files["asterisk.conf"]
    assert f"astrundir => {tmp_path}/state/run\n" in files["asterisk.conf"]
    assert "port = 15038\n" in files["manager.conf"]
    assert "bind = 127.0.0.1:15060\n" in files["pjsip.conf"]
    assert "rtpstart = 12000\n" in files["rtp.conf"]
    assert "[vb]\nsecret = secret;with = signs\n" in files["voicebridge/manager.conf"]
    assert "permit = 10.0.0.0/8\n" in files["voicebridge/manager.conf"]
    assert "contact = sip:sip.carrier.example:5080\n" in files["voicebridge/pjsip-trunk-main.conf"]
    assert "match = sip.carrier.example\n" in files["voicebridge/pjsip-trunk-main.conf"]
    assert "allow = ulaw,alaw\n" in files["voicebridge/pjsip-trunk-main.conf"]
    assert (tmp_path / "state" / "run").is_dir()
    assert not any("${ami" in text or "${trunk" in text or "${rtp" in text for text in files.values())


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    render(tmp_path / "etc", settings(tmp_path))
    render(tmp_path / "etc", settings(tmp_path))
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "etc").rglob("*") if path.is_file()} == {0o600}


def test_the_drop_in_set_is_a_folder_of_its_own_with_its_readme(tmp_path: Path) -> None:
    render_drop_in(tmp_path, [TRUNK], MANAGER)
    assert {path.name for path in tmp_path.iterdir()} == {"voicebridge"}
    assert {path.name for path in (tmp_path / "voicebridge").iterdir()} == {
        "README.md",
        "extensions.conf",
        "manager.conf",
        "pjsip.conf",
        "pjsip-trunk-main.conf",
    }


def test_an_account_and_a_registration_are_written_only_when_given_and_go_when_they_go(tmp_path: Path) -> None:
    def trunk_file(trunk: Trunk) -> str:
        render_drop_in(tmp_path, [trunk], MANAGER)
        return written(tmp_path)["voicebridge/pjsip-trunk-main.conf"]

    registered = trunk_file(replace(TRUNK, account=ACCOUNT))
    assert "password = pass;word\n" in registered
    assert "server_uri = sip:reg.carrier.example\n" in registered
    assert "client_uri = sip:38512345@reg.carrier.example\n" in registered

    with_account = trunk_file(replace(TRUNK, account=replace(ACCOUNT, registration=None)))
    assert "password = pass;word\n" in with_account
    assert "type = registration" not in with_account

    assert "password" not in trunk_file(TRUNK)


def test_every_trunk_has_a_file_and_those_of_former_trunks_go(tmp_path: Path) -> None:
    second = replace(TRUNK, name="second", uri="sip:other.example", codecs=("g722",))
    render_drop_in(tmp_path, [TRUNK, second], MANAGER)
    files = written(tmp_path / "voicebridge")
    assert "contact = sip:other.example\n" in files["pjsip-trunk-second.conf"]
    assert "allow = g722\n" in files["pjsip-trunk-second.conf"]
    assert "g722" not in files["pjsip-trunk-main.conf"]

    (tmp_path / "pjsip-trunk-of-the-operator.conf").touch()
    render_drop_in(tmp_path, [second], MANAGER)
    assert sorted(path.name for path in tmp_path.rglob("pjsip*")) == [
        "pjsip-trunk-of-the-operator.conf",
        "pjsip-trunk-second.conf",
        "pjsip.conf",
    ]


@pytest.mark.parametrize(
    "trunk",
    [
        replace(TRUNK, name="main]\n[evil"),
        replace(TRUNK, name="../../extensions"),
        replace(TRUNK, uri="sip:host\n#include other.conf"),
        replace(TRUNK, uri="sip:user@host"),
        replace(TRUNK, uri="host"),
        replace(TRUNK, codecs=("ulaw\n[evil]",)),
        replace(TRUNK, codecs=()),
        replace(TRUNK, dtmf_mode="auto"),
        replace(TRUNK, account=Account("me\nmax_retries = 1", "x")),
        replace(TRUNK, account=Account("me", "x\r\n[evil]")),
        replace(TRUNK, account=replace(ACCOUNT, registration=Registration("sip:reg;transport=tls", "sip:me@reg"))),
        replace(TRUNK, account=replace(ACCOUNT, registration=Registration("sip:reg", "sip:me@reg\n[evil]"))),
    ],
)
def test_a_trunk_that_could_write_more_than_itself_is_refused(tmp_path: Path, trunk: Trunk) -> None:
    with pytest.raises(UnsafeSetting):
        render_drop_in(tmp_path, [TRUNK, trunk], MANAGER)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "manager",
    [
        replace(MANAGER, user="a]\n[b"),
        replace(MANAGER, user="general"),
        replace(MANAGER, secret=""),
        replace(MANAGER, secret="a\nwrite = all"),
        replace(MANAGER, secret=" a"),
        replace(MANAGER, host="0.0.0.0\nwebenabled = yes"),
    ],
)
def test_a_manager_that_could_write_more_than_itself_is_refused(tmp_path: Path, manager: Manager) -> None:
    with pytest.raises(UnsafeSetting):
        render(tmp_path / "etc", replace(settings(tmp_path), manager=manager))


def test_a_refused_secret_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(UnsafeSetting) as refused:
        render_drop_in(tmp_path, [TRUNK], replace(MANAGER, secret="hunter2\n"))
    assert "hunter2" not in str(refused.value)

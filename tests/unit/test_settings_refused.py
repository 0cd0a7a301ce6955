"""Settings that cannot work: what is told of them, and the status that a command ends with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import cli
from bridge.base.errors import WRONG_SETTINGS

SECRET = "hush-hush"
BROKEN = f'port = 8080\napi_key = "{SECRET}\n'


Refused = Callable[..., str]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Refused:
    """Runs a command with these settings; returns the one line that it tells."""

    def run(**settings: str) -> str:
        for name, value in ({"data_dir": str(tmp_path)} | settings).items():
            monkeypatch.setenv(f"VOICEBRIDGE_{name.upper()}", value)
        monkeypatch.setattr(sys, "argv", ["voicebridge", "keys", "list"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == WRONG_SETTINGS
        told = capsys.readouterr()
        assert told.out == ""
        [line] = told.err.splitlines()
        assert SECRET not in line
        return line

    return run


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(
            ("ami_url", value)
            for value in (
                "",
                f"{SECRET}",
                "ami://user@127.0.0.1",
                f"ami://user:{SECRET}@127.0.0.1:port",
                f"ami://user:{SECRET}@127.0.0.1:99999",
                f"ami://user:{SECRET}/more@127.0.0.1:5038",
                f"ami://user:{SECRET}@[::1",
                f"ami://user%0D%0AAction:{SECRET}@127.0.0.1",
                f"ami://user:{SECRET}@127.0.0.1:5038,",
            )
        ),
        *(
            ("database_url", value)
            for value in (
                "",
                "sqlite://",
                f"{SECRET}",
                f"mysql://user:{SECRET}@127.0.0.1/bridge",
                f"postgresql://user:{SECRET}@127.0.0.1:port/bridge",
                f"postgresql://user:{SECRET}@127.0.0.1/bridge?no_such_parameter={SECRET}",
            )
        ),
        ("webhook_secret", ""),
        ("webhook_secret", SECRET),
        ("webhook_secret", f"whsec_{SECRET}"),
        ("webhook_secret", "whsec_žžžž"),
        ("s3_bucket", "a bucket"),
        ("s3_endpoint", "https://a host"),
        ("s3_endpoint", f"https://user:{SECRET}@127.0.0.1"),
        ("s3_endpoint", "https://127.0.0.1:port"),
        ("s3_region", "a region"),
        ("public_url", ""),
        ("public_url", "voice.example"),
        ("public_url", "ftp://voice.example"),
        ("public_url", f"https://user:{SECRET}@voice.example"),
        ("public_url", "https://voice.example/calls?a=b"),
        ("public_url", "https://voice.example/#a"),
        ("public_url", "https://voice.example//calls"),
        ("public_url", "https://voice.example:99999"),
        ("public_url", "https://voice.example:0"),
        ("public_url", "https://voice example"),
        ("public_url", "https://voice.example\n"),
        ("data_dir", "/srv/calls,and more"),
        ("host", ""),
        ("user", "a:b"),
        ("trunk_uri", "carrier"),
        ("trunk_max_calls", "99999999999999999999"),
        ("trunk_calls_per_second", "1e-300"),
        ("message_days", "99999999999"),
        ("drain_seconds", "inf"),
    ],
)
def test_what_could_not_be_read_later_is_named_in_one_line(refused: Refused, setting: str, value: str) -> None:
    bucket = {"s3_bucket": "calls"} if setting.startswith("s3") else {}
    assert refused(**bucket | {setting: value}).startswith(f"VOICEBRIDGE_{setting.upper()}: ")


def test_settings_that_do_not_go_together_are_named(refused: Refused) -> None:
    told = refused(s3_bucket="calls", s3_access_key="the-id")
    assert told.startswith("VOICEBRIDGE_S3_ACCESS_KEY and VOICEBRIDGE_S3_SECRET_KEY ")


def test_a_file_that_is_not_there_is_not_passed_over(refused: Refused, tmp_path: Path) -> None:
    told = refused(config=str(tmp_path / "none.toml"))
    assert told == f"SETTINGS_FILE_INVALID: VOICEBRIDGE_CONFIG: {tmp_path}/none.toml: No such file or directory"


def test_a_file_that_cannot_be_read(refused: Refused, tmp_path: Path) -> None:
    assert refused(config=str(tmp_path)).endswith(f"{tmp_path}: Is a directory")


@pytest.mark.parametrize(("content", "where"), [(BROKEN.encode(), "line 2"), (b'user = "\xff"', "position 8")])
def test_a_broken_file_is_told_with_the_place(refused: Refused, tmp_path: Path, content: bytes, where: str) -> None:
    file = tmp_path / "voicebridge.toml"
    file.write_bytes(content)
    told = refused(config=str(file))
    assert told.startswith(f"SETTINGS_FILE_INVALID: VOICEBRIDGE_CONFIG: {file}: ")
    assert where in told


def test_a_key_of_the_file_that_is_no_setting_is_named(refused: Refused, tmp_path: Path) -> None:
    file = tmp_path / "voicebridge.toml"
    file.write_text(f'pasword = "{SECRET}"\n')
    assert refused(config=str(file)).startswith("VOICEBRIDGE_PASWORD: ")

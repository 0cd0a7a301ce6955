"""Trunks as settings: from the environment and from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from bridge.settings import Settings, TrunkSettings, problems

TRUNKS = [
    {
        "name": "main",
        "uri": "sip:main.example",
        "user": "me",
        "password": "hush-hush",
        "register": True,
        "max_calls": 30,
    },
    {
        "name": "spare",
        "uri": "sip:spare.example",
        "prefixes": ["385", "41"],
        "calls_per_second": 0.5,
        "codecs": ["g722"],
        "number_format": {"41": "0", "": "00"},
        "caller_id_format": {"": "+"},
    },
]
TOML = """
[[trunks]]
name = "main"
uri = "sip:main.example"
user = "me"
password = "hush-hush"
register = true
max_calls = 30

[[trunks]]
name = "spare"
uri = "sip:spare.example"
prefixes = ["385", "41"]
calls_per_second = 0.5
codecs = ["g722"]
number_format = { 41 = "0", "" = "00" }
caller_id_format = { "" = "+" }
"""


def in_environment(monkeypatch: pytest.MonkeyPatch, trunks: object) -> Settings:
    monkeypatch.setenv("VOICEBRIDGE_TRUNKS", trunks if isinstance(trunks, str) else json.dumps(trunks))
    return Settings()


def test_trunks_stand_in_the_environment_as_json_or_in_the_file_as_tables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from_environment = in_environment(monkeypatch, TRUNKS)
    monkeypatch.delenv("VOICEBRIDGE_TRUNKS")
    (tmp_path / "voicebridge.toml").write_text(TOML)
    monkeypatch.setenv("VOICEBRIDGE_CONFIG", str(tmp_path / "voicebridge.toml"))

    assert Settings().all_trunks == from_environment.all_trunks
    main, spare = from_environment.all_trunks
    assert (main.name, main.prefixes, main.register_there, main.max_calls) == ("main", ("",), True, 30)
    assert (spare.prefixes, spare.calls_per_second, spare.codecs) == (("385", "41"), 0.5, ("g722",))
    assert from_environment.all_codecs == ("ulaw", "alaw", "g722")


def test_without_a_list_the_single_settings_describe_the_one_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEBRIDGE_TRUNK", "freepbx")
    monkeypatch.setenv("VOICEBRIDGE_TRUNK_URI", "sip:sip.example")
    monkeypatch.setenv("VOICEBRIDGE_TRUNK_MAX_CALLS", "7")
    monkeypatch.setenv("VOICEBRIDGE_TRUNK_CODECS", "alaw")

    assert Settings().all_trunks == (
        TrunkSettings(name="freepbx", uri="sip:sip.example", max_calls=7, codecs=("alaw",)),
    )


def test_a_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = in_environment(monkeypatch, TRUNKS)
    assert "hush-hush" not in f"{settings!r} {settings} {settings.all_trunks!r} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("trunks", "at_fault"),
    [
        ([TRUNKS[0], {"name": "spare", "max_calls": 0, "password": "hush-hush"}], "VOICEBRIDGE_TRUNKS[1].max_calls: "),
        ([{"name": "a.b"}], "VOICEBRIDGE_TRUNKS[0].name: "),
        ([{"name": "a", "prefixes": ["385", "+41"]}], "VOICEBRIDGE_TRUNKS[0].prefixes[1]: "),
        ([{"name": "a", "number_format": {"": "+1\r\n"}}], "VOICEBRIDGE_TRUNKS[0].number_format.: "),
        ([{"name": "a", "number_format": {"+41": "0"}}], "VOICEBRIDGE_TRUNKS[0].number_format.+41.[key]: "),
        ([{"name": "a", "caller_id_format": {"41": "*"}}], "VOICEBRIDGE_TRUNKS[0].caller_id_format.41: "),
        ([{"name": "a", "pasword": "hush-hush"}], "VOICEBRIDGE_TRUNKS[0].pasword: "),
        ([{"name": "a"}, {"name": "a"}], "VOICEBRIDGE_TRUNKS: "),
        ('[{"name": "a", "password": "hush-hush"', "VOICEBRIDGE_TRUNKS: "),
        ('{"name": "hush-hush"}', "VOICEBRIDGE_TRUNKS: "),
    ],
)
def test_the_member_at_fault_is_named_and_no_value_is_told(
    monkeypatch: pytest.MonkeyPatch, trunks: object, at_fault: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        in_environment(monkeypatch, trunks)
    (told,) = problems(refused.value)
    assert told.startswith(at_fault)
    assert "hush-hush" not in told

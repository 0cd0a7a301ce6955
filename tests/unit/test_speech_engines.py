"""The registry of engines: complete, the same as the documentation and what settings accept, and read in no time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from bridge.settings import Settings, problems
from bridge.speech.engine import EngineSettings
from bridge.speech.engine_registry import DEFAULT_ENGINES, ENGINE_NAMES, build_engines, engine_entry
from bridge.speech.errors import EngineUnavailableError
from bridge.speech.text.languages import language_code

DOCUMENTED = Path(__file__).parents[2] / "docs" / "reference" / "speech.md"


def test_the_engines_there_are() -> None:
    assert {"espeak-ng", "gtts"} <= set(ENGINE_NAMES)
    assert set(DEFAULT_ENGINES) <= set(ENGINE_NAMES)


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_an_engine_is_called_as_its_file_and_its_voices_are_its_own(name: str) -> None:
    [engine] = build_engines([name])
    assert engine.name == name
    assert engine.languages()
    for language in engine.languages():
        assert language == language_code(language)
        voices = engine.voices(language)
        assert {voice.engine for voice in voices} == {name}
        assert {voice.gender for voice in voices} <= {"female", "male"}
    assert engine.voices("tlh") == []


def test_no_two_engines_have_a_voice_of_one_name() -> None:
    engines = build_engines(ENGINE_NAMES)
    names = [voice.name for engine in engines for code in engine.languages() for voice in engine.voices(code)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_an_engine_is_built_from_what_was_set(name: str) -> None:
    [engine] = build_engines([name], EngineSettings(timeout=7.5))
    assert engine.timeout == 7.5


def test_an_engine_that_is_none_is_refused_with_those_there_are() -> None:
    for refused in ("festival", "espeak_ng", "", "__init__"):
        with pytest.raises(EngineUnavailableError, match=f"no engine {refused}; there are {', '.join(ENGINE_NAMES)}"):
            build_engines(["espeak-ng", refused])


def test_the_documentation_has_a_line_for_each_engine_and_no_other() -> None:
    [table] = re.findall(r"^\| engine \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", DOCUMENTED.read_text(), re.MULTILINE)
    entries = [(name, engine_entry(name)) for name in ENGINE_NAMES]
    assert table.splitlines() == [
        f"| `{name}` | {entry.where} | {entry.languages} | {entry.needs} | {entry.notes} |" for name, entry in entries
    ]


def test_settings_accept_the_engines_there_are_and_name_them_for_another() -> None:
    assert Settings(speech_engines=ENGINE_NAMES).speech_engines == ENGINE_NAMES
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"speech_engines": "gtts, festival"})
    *first, last = map(repr, ENGINE_NAMES)
    assert problems(refused.value) == [f"VOICEBRIDGE_SPEECH_ENGINES[1]: Input should be {', '.join(first)} or {last}"]


def test_settings_know_the_engines_without_loading_one() -> None:
    code = "import sys; from bridge.settings import Settings; Settings(speech_engines='gtts'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "bridge.speech.engine_registry" in loaded
    assert not {"numpy", "soxr", "gtts", "bridge.speech.engines.gtts", "bridge.speech.engines.espeak_ng"} & {*loaded}

"""Each language of the contract has a voice, and callers get the voice they ask for."""

from __future__ import annotations

import gtts.lang
import pytest

from bridge.speech.engine_registry import build_engines
from bridge.speech.engines.gtts import CODES
from bridge.speech.errors import LanguageUnsupportedError, VoiceUnknownError
from bridge.speech.hosted_voices import HOSTED_VOICES, hosted_gender
from bridge.speech.phrase import Phrase
from bridge.speech.voices import candidate_voices, listed_voices, voices_in

CONTRACT = """
    ar ar-ma bg bn ca cs da de de-at de-ch el en en-au en-ca en-gb en-gb-wls en-ie en-in epo es es-ar es-gl es-mx
    fi fil-ph fr fr-ca fr-ch gu he hi hr hu id is it ja kk-kz kn ko ml mr-in ms nl no pl pt pt-br pt-pt ro ru
    sk sl sv sw-ke sw-tz ta te th tr uk ur-pk uz-uz vi wls zh-cn zh-tw
"""

ESPEAK, GTTS = build_engines(["espeak-ng", "gtts"])


@pytest.mark.parametrize("language", CONTRACT.split())
def test_every_language_of_the_contract_has_a_voice(language: str) -> None:
    assert voices_in(language, [ESPEAK, GTTS])
    assert voices_in(language.upper(), [ESPEAK, GTTS])


def test_espeak_alone_lacks_only_filipino() -> None:
    assert set(CONTRACT.split()) - set(ESPEAK.languages()) == {"fil-ph"}


def test_google_knows_every_code_we_send() -> None:
    assert {code.partition("/")[0] for code in CODES.values()} <= gtts.lang.tts_langs().keys()


def test_an_unknown_language_has_no_voice_and_the_error_lists_what_there_is() -> None:
    assert voices_in("tlh", [ESPEAK, GTTS]) == []
    with pytest.raises(LanguageUnsupportedError, match=r"no engine speaks 'tlh'; there are ar, .*, zh-tw"):
        candidate_voices(Phrase("x", "tlh"), [ESPEAK, GTTS])


def test_the_first_voice_of_the_first_engine_is_the_default() -> None:
    names = [(voice.name, voice.is_default) for voice in voices_in("pt-BR", [ESPEAK, GTTS])]
    assert names == [
        ("espeak-pt-br-female", True),
        ("espeak-pt-br-male", False),
        ("gtts-pt-br-female", False),
    ]


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        (Phrase("x"), ["gtts-en-female", "espeak-en-female"]),
        (Phrase("x", gender="male"), ["espeak-en-male", "gtts-en-female"]),
        (Phrase("x", gender="female"), ["gtts-en-female", "espeak-en-female"]),
        (Phrase("x", voice="Espeak-EN-Female"), ["espeak-en-female", "gtts-en-female"]),
        (Phrase("x", voice="Joanna"), ["gtts-en-female", "espeak-en-female"]),
        (Phrase("x", voice="Matthew"), ["espeak-en-male", "gtts-en-female"]),
        (Phrase("x", sensitive=True), ["espeak-en-female"]),
        (Phrase("x", "fil-ph"), ["gtts-fil-ph-female"]),
    ],
)
def test_who_is_asked_to_speak_and_in_which_order(phrase: Phrase, expected: list[str]) -> None:
    assert [voice.name for voice in candidate_voices(phrase, [GTTS, ESPEAK])] == expected


def test_a_sensitive_phrase_that_only_a_service_could_speak_is_refused() -> None:
    with pytest.raises(LanguageUnsupportedError, match="no local engine"):
        candidate_voices(Phrase("x", "fil-ph", sensitive=True), [GTTS, ESPEAK])


def test_an_unknown_voice_is_refused_with_those_there_are() -> None:
    with pytest.raises(VoiceUnknownError, match="espeak-en-male"):
        candidate_voices(Phrase("x", voice="Nobody"), [ESPEAK])


@pytest.mark.parametrize(
    ("written", "gender"),
    [
        *[("Joanna", "female"), ("JOANNA", "female"), (" joanna ", "female"), ("Joanna (neural)", "female")],
        *[("Matthew", "male"), ("Léa", "female"), ("Vitória", "female"), ("Inês", "female"), ("HsiaoChen", "female")],
        *[("en-US-JennyNeural", "female"), ("en-US-GuyNeural", "male"), ("fil-PH-AngeloNeural", "male")],
        *[("de-DE-HeddaRUS", "female"), ("Nobody", None), ("", None), ("Neural", None), ("en-US-Neural", None)],
    ],
)
def test_the_hosted_service_s_names_are_known_as_clients_write_them(written: str, gender: str | None) -> None:
    assert hosted_gender(written) == gender


def test_no_hosted_name_stands_for_both_genders() -> None:
    by_gender = {"female": set[str](), "male": set[str]()}
    for names in HOSTED_VOICES.values():
        for gender, those in names.items():
            by_gender[gender].update(name.casefold() for name in those)
    assert by_gender["female"].isdisjoint(by_gender["male"])


def test_every_language_with_a_voice_has_hosted_names_but_esperanto() -> None:
    spoken = {*ESPEAK.languages(), *GTTS.languages()}
    assert spoken - HOSTED_VOICES.keys() == {"epo"}
    assert HOSTED_VOICES.keys() <= spoken


@pytest.mark.parametrize("language", CONTRACT.split())
def test_every_listed_voice_may_be_sent_and_one_is_the_default(language: str) -> None:
    listed = listed_voices(language, [ESPEAK, GTTS])
    assert [voice.is_default for voice in listed].count(True) == 1
    names = [voice.name for voice in listed]
    assert len(set(names)) == len(names)
    for voice in listed:
        spoken = candidate_voices(Phrase("x", language, voice=voice.name), [ESPEAK, GTTS])[0]
        assert (spoken.gender, spoken.engine) == (voice.gender, voice.supplier)


def test_joanna_speaks_english_when_nobody_is_asked_for() -> None:
    (default,) = [voice for voice in listed_voices("en", [ESPEAK]) if voice.is_default]
    assert (default.name, default.gender, default.ssml_supported, default.is_neural) == (
        "Joanna",
        "female",
        False,
        False,
    )
    assert candidate_voices(Phrase("x"), [ESPEAK]) == candidate_voices(Phrase("x", voice="Joanna"), [ESPEAK])


def test_a_gender_that_no_voice_has_is_not_listed() -> None:
    assert {voice.gender for voice in listed_voices("fil-ph", [GTTS])} == {"female"}
    assert listed_voices("tlh", [ESPEAK, GTTS]) == []

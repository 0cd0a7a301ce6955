"""What an engine is given of a text: every digit as 0 to 9, usual letters, words for what voices pass over."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.speech.engine_registry import ENGINE_NAMES, build_engines
from bridge.speech.text import carries_meaning, fragments
from bridge.speech.text.symbols import SYMBOLS, symbols_in_words

LANGUAGES = sorted({code for engine in build_engines(ENGINE_NAMES) for code in engine.languages()})
ANY_CODE = st.sampled_from(LANGUAGES)
EVERY_CHARACTER = [chr(code) for code in range(sys.maxunicode + 1)]
DIGITS = [character for character in EVERY_CHARACTER if unicodedata.category(character) == "Nd"]


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("ja", "コード１２３４です", "コード1234です"),
        ("zh-cn", "验证码 １２３４", "验证码 1234"),
        ("ar", "رمزك ١٢٣٤", "رمزك 1234"),
        ("ar", "١٬٢٣٤٫٥", "1234.5"),
        ("hi", "कोड १२३४", "कोड 1234"),
        ("en", "𝐜𝐨𝐝𝐞 𝟏𝟐", "code 12"),
        ("en", "①②③", "1 2 3"),
        ("en", "1① 10²", "1 1 10 2"),
        ("en", "Ⅳ ﬁne Ｃｏｄｅ", "IV fine Code"),
        ("en", "5㎏", "5kg"),
        ("ja", "ｺｰﾄﾞ", "コード"),
        ("ja", "PINコード", "PIN コード"),
        ("ja", "％", "パーセント"),
        ("pl", "5€", "5 euro"),
        ("pl", "5 ￦", "5 won"),
        ("sv", "½", "1 bråkstreck 2"),
        ("pt-br", "1º", "1º"),
        ("uk", "м\u02bcята", "м'ята"),
        ("uz-uz", "o\u02bbzbek", "o'zbek"),
        ("th", "คำ", "คำ"),
        ("ar", "كـود", "كود"),
        ("hi", "क्\u200dष", "क्\u200dष"),
        ("en", "co\u200dde co\u00adde \ufeff\u202ecode\u200f ❤\ufe0f", "code code code ❤"),
        ("he", "1234", "אלף מאתיים שלושים וארבע"),
        ("he", "05", "אפס חמש"),
        ("he", "3.5", "שלוש נקודה חמש"),
        ("he", "１", "אחת"),
    ],
)
def test_a_text_becomes_what_the_voice_can_read(language: str, text: str, said: str) -> None:
    assert fragments(text, language) == (said,)


@pytest.mark.parametrize("comma", ["\uff0c", "\u3001", "\u060c", "\ufe50", "\ufe10", "\ufe51", "\uff64", "\U0001f101"])
def test_no_comma_of_another_script_becomes_a_pause(comma: str) -> None:
    assert len(fragments(f"a{comma}b", "en")) == 1


def test_punctuation_stays_as_it_is() -> None:
    assert fragments("a：b；c！d？e…f。g", "en") == ("a：b；c！d？e…f。g",)


def test_every_decimal_digit_is_read_as_its_value() -> None:
    wrong = [digit for digit in DIGITS if fragments(f"a {digit}", "en") != (f"a {unicodedata.decimal(digit)}",)]
    assert len(DIGITS) >= 650
    assert wrong == []


@given(ANY_CODE, st.lists(st.sampled_from(DIGITS), min_size=1, max_size=20), st.sampled_from(["a{}", "{} код", "{}"]))
def test_digits_of_any_script_are_said_as_those_of_ascii(language: str, digits: list[str], template: str) -> None:
    ascii_digits = "".join(str(unicodedata.decimal(digit)) for digit in digits)
    assert fragments(template.format("".join(digits)), language) == fragments(template.format(ascii_digits), language)


@given(ANY_CODE, st.text(st.characters(), max_size=100))
def test_each_comma_is_one_pause_in_every_language(language: str, text: str) -> None:
    assert len(fragments(text, language)) == text.count(",") + 1


@given(ANY_CODE, st.text(st.characters(), max_size=100))
def test_what_was_made_plain_stays_so(language: str, text: str) -> None:
    said = fragments(text, language)
    assert fragments(",".join(said), language) == said


def test_letters_digits_and_symbols_are_never_left_out() -> None:
    shapes = ("Sk", "Lm", "Mn")  # accents by themselves, apostrophes, signs that stretch a letter
    lost = [
        character
        for character in EVERY_CHARACTER
        if carries_meaning(character)
        and unicodedata.category(unicodedata.normalize("NFKC", character)[-1]) not in shapes
        and fragments(character, "en") == ("",)
    ]
    assert lost == list("\u115f\u1160\u3164\uffa0")  # Hangul's fillers


def test_symbols_have_names_in_every_language() -> None:
    for language in LANGUAGES:
        for symbol in SYMBOLS:
            name = symbols_in_words(symbol, language).strip()
            assert name
            assert "," not in name

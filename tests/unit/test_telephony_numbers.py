"""Telephone numbers: what is accepted, and what never becomes a number, or another one."""

from __future__ import annotations

import time

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat as Format
from phonenumbers import PhoneNumberType as Type

from bridge.telephony.numbers import parse_number, parse_sender

FULL_WIDTH = ord("\N{FULLWIDTH DIGIT ZERO}") - ord("0")
UNSEEN = "\N{LEFT-TO-RIGHT EMBEDDING}\N{POP DIRECTIONAL FORMATTING}\N{LEFT-TO-RIGHT MARK}\N{ZERO WIDTH SPACE}\ufeff\xad"
SPACES = " \xa0\u2009\u202f\u3000"
DASHES = "-\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{FULLWIDTH HYPHEN-MINUS}\N{MINUS SIGN}"


@pytest.mark.parametrize(
    "written",
    [
        "41793026727",
        "+41793026727",
        "0041793026727",
        "+41 79 302 67 27",
        "+41 (79) 302-67.27",
        "+0041793026727",
        "+41 (0)79 302 67 27",
        "0041(0)79 302 67 27",
        "(+41)(0)79 302 67 27",
        "+41 [0] 79 302 67 27",
        "+41 ( 0 ) 79 302 67 27",
        "+41 079 302 67 27",
        "+41 (079) 302 67 27",
        "410793026727",
        "".join(chr(ord(character) + FULL_WIDTH) for character in "+41(0)793026727"),
        "٤١٧٩٣٠٢٦٧٢٧",
        "tel:+41-79-302-67-27",
        "TEL:+41793026727;foo=bar",
        "tel:793026727;phone-context=+41",
        "tel:079-302-67-27;phone-context=+41",
        "\u202a+41\xa079\u2009302\u201167\u201127\u202c\n",
        "\ufeff+41\u200b793026727\r\n",
        "\t41793026727 ",
        "+41\N{EN DASH}793026727",
    ],
)
def test_one_number_may_be_written_in_many_ways(written: str) -> None:
    assert parse_number(written) == "41793026727"


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+999 (0)0 0 88 77 66", "99900887766"),
        ("+999 00 88 77 66", "99900887766"),
        ("+49 (0) 30 1234567", "49301234567"),
        ("0049(0)30 1234567", "49301234567"),
        ("+44 (0)20 7946 0958", "442079460958"),
        ("+36 (06) 1 234 5678", "3612345678"),
        ("+36 (0)6 20 123 4000", "36201234000"),
        ("+54 (0)11 15 2345-6789", "5491123456789"),
        ("+7 8 495 123 45 67", "74951234567"),
        ("+54 11 15 2345-6789", "5491123456789"),
        ("+1 (1) 650 253 0000", "16502530000"),
    ],
)
def test_what_only_callers_at_home_dial_is_left_out(written: str, digits: str) -> None:
    assert parse_number(written) == digits


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+39 06 12345678", "390612345678"),
        ("390612345678", "390612345678"),
        ("+39 (0)6 12345678", "390612345678"),
        ("+39 (0)347 1234567", "393471234567"),
        ("+225 01 23 45 67 89", "2250123456789"),
    ],
)
def test_a_zero_that_is_part_of_the_number_stays(written: str, digits: str) -> None:
    assert parse_number(written) == digits


@pytest.mark.parametrize("digits", ["99900", "9990001", "99910019329942", "2001", "1001", "9991", "899000"])
def test_numbers_of_a_plan_of_ones_own_are_taken_as_they_are(digits: str) -> None:
    assert parse_number(digits) == digits


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "telephone number"),
        ("+", "telephone number"),
        ("abc", "'abc' are letters"),
        ("1-800-FLOWERS", "'FLOWERS' are letters"),
        ("Tel. +41793026727", "'Tel' are letters"),
        ("41793O26727", "'O' are letters"),
        ("123", "4 to 15"),
        ("00123", "4 to 15"),
        ("1234567890123456", "4 to 15"),
        ("+41 (0)" + "7" * 300, "telephone number"),
        ("4179\n3026727", r"'\\n'"),
        ("4179\t3026727", r"'\\t'"),
        ("4179@302", "'@'"),
        ("4179/302", "'/'"),
        ("4179²", "'²'"),
        ("++41793026727", "telephone number"),
        ("41+793026727", "telephone number"),
        ("41793026727+", "telephone number"),
        ("000041793026727", "country code"),
        ("0793026727", "country code"),
        ("(0)79 302 67 27", "telephone number"),
        ("+41 79 (0) 302 67 27", "0 in brackets"),
        ("+9 (0)99 302 67 27", "0 in brackets"),
        ("+49 030 12", "trunk prefix 0"),
        ("+1 0 650 253 0000", "trunk prefix 0"),
        ("+39 0347 1234567", "trunk prefix 0"),
        ("41793026727;ext=5", "extension"),
        ("tel:+41793026727;ext=5", "extension"),
        ("tel:+41793026727;isub=5", "extension"),
        ("+41793026727 ext. 5", "extension"),
        ("+41 79 302 67 27 x5", "extension"),
        ("+41793026727x5", "extension"),
        ("+41793026727,,5#", "extension"),
        ("+41793026727p5", "extension"),
        ("+41793026727#5", "extension"),
        ("tel:7042;phone-context=example.com", "private plan"),
        ("tel:;phone-context=+41", "4 to 15"),
        ("sip:+41793026727@example.com", "letters"),
    ],
)
def test_what_is_no_number_is_refused_by_name(written: str, why: str) -> None:
    with pytest.raises(ValueError, match="^must .*" + why):
        parse_number(written)


def test_a_zero_that_may_be_dialled_or_not_is_refused() -> None:
    with pytest.raises(ValueError, match="brackets around the 0"):
        parse_number("+39 (0)1 23")


def test_a_caller_id_may_be_a_short_code() -> None:
    assert parse_sender("123") == "123"
    assert parse_sender("+385 (0)1 5507-799") == "38515507799"
    with pytest.raises(ValueError, match="3 to 15"):
        parse_sender("12")


def valid_numbers() -> st.SearchStrategy[phonenumbers.PhoneNumber]:
    """Of every region and kind: an example of the library, with other digits at its end."""
    examples = [
        example
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in (Type.FIXED_LINE, Type.MOBILE, Type.TOLL_FREE, Type.VOIP)
        if (example := phonenumbers.example_number_for_type(region, kind)) is not None
    ]

    def ends_in(example: phonenumbers.PhoneNumber, end: int) -> phonenumbers.PhoneNumber:
        varied = phonenumbers.PhoneNumber()
        varied.merge_from(example)
        varied.national_number = (example.national_number or 0) // 1000 * 1000 + end
        return varied

    varied = st.builds(ends_in, st.sampled_from(examples), st.integers(0, 999))
    return varied.filter(phonenumbers.is_valid_number)


def e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, Format.E164).removeprefix("+")


def strewn(data: st.DataObject, text: str, characters: str) -> str:
    """The text with some of these characters anywhere in it."""
    for character in data.draw(st.lists(st.sampled_from(characters), max_size=6)):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + character + text[at:]
    return text


@given(st.data(), valid_numbers(), st.sampled_from([Format.E164, Format.INTERNATIONAL]))
def test_every_number_of_the_world_reads_as_itself(
    data: st.DataObject, number: phonenumbers.PhoneNumber, form: int
) -> None:
    written = phonenumbers.format_number(number, form)
    prefix = data.draw(st.sampled_from(["+", "00", ""]))
    written = prefix + strewn(data, written.removeprefix("+"), UNSEEN + SPACES + DASHES)
    assert parse_number(strewn(data, written, UNSEEN)) == e164(number)


@given(valid_numbers())
def test_a_tel_uri_of_every_number_reads_as_the_number(number: phonenumbers.PhoneNumber) -> None:
    assert parse_number(phonenumbers.format_number(number, Format.RFC3966)) == e164(number)


@given(st.data(), valid_numbers())
def test_a_national_number_behind_its_country_code_is_the_number_or_refused(
    data: st.DataObject, number: phonenumbers.PhoneNumber
) -> None:
    national = phonenumbers.format_number(number, Format.NATIONAL)
    if national.startswith("0"):
        national = data.draw(st.sampled_from([national, f"(0){national[1:]}", f"(0) {national[1:]}"]))
    written = f"+{number.country_code} {strewn(data, national, UNSEEN)}"
    try:
        digits = parse_number(written)
    except ValueError:
        return
    assert digits == e164(number)


@given(valid_numbers())
def test_a_national_number_that_begins_with_a_zero_is_refused(number: phonenumbers.PhoneNumber) -> None:
    national = phonenumbers.format_number(number, Format.NATIONAL)
    assume(national.startswith("0"))
    with pytest.raises(ValueError, match="country code"):
        parse_number(national)


@given(valid_numbers(), st.sampled_from([" ext. {}", "x{}", ";ext={}", ",{}", "p{}", ",,{}#"]), st.integers(1, 99999))
def test_an_extension_is_never_dialled_with_its_number(
    number: phonenumbers.PhoneNumber, form: str, extension: int
) -> None:
    with pytest.raises(ValueError, match="extension"):
        parse_number(f"+{e164(number)}{form.format(extension)}")


@given(st.one_of(st.text(max_size=30), st.text("0123456789+()- \xa0;,.x", max_size=25)))
def test_whatever_is_accepted_is_4_to_15_ascii_digits_and_accepted_again(text: str) -> None:
    try:
        digits = parse_number(text)
    except ValueError:
        return
    assert set(digits) <= set("0123456789")
    assert 4 <= len(digits) <= 15
    assert not digits.startswith("0")
    assert parse_number(digits) == digits


def test_reading_20_000_numbers_is_cheap() -> None:
    numbers = [f"4179{line:07d}" for line in range(20_000)]
    began = time.process_time()
    for number in numbers:
        parse_number(number)
    assert time.process_time() - began < 0.2

"""Country codes and national trunk prefixes (such as the 0 of 079 …), from the tables of ``phonenumbers``."""

from __future__ import annotations

import re
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber

_LONGEST_CODE = 3


class TrunkPrefixUnclear(Exception):
    """Digits behind the country code may be a trunk prefix or part of the number; the error's text is those digits."""


def country_code(digits: str) -> str | None:
    """The country code that the digits begin with; None when they begin with none."""
    for length in range(1, _LONGEST_CODE + 1):
        if len(digits) >= length and int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return digits[:length]
    return None


def without_trunk_prefix(digits: str) -> str:
    """A number (digits, country code first) as it is dialled from abroad. Raises `TrunkPrefixUnclear`.

    A valid number stays as it is. So does one that no country can have: it is of the operator's own numbering plan.
    """
    code = country_code(digits)
    if code is None or not (_trunk_prefix(code, digits) or digits.startswith("0", len(code))):
        return digits
    behind = digits.removeprefix(code)
    try:
        read = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return digits
    if _is_valid(code, behind):
        return digits
    national = phonenumbers.national_significant_number(read)
    if national != behind and phonenumbers.is_valid_number(read):
        return code + national
    if national != behind and phonenumbers.is_possible_number(read):
        raise TrunkPrefixUnclear(behind.removesuffix(national))
    if behind.startswith("0") and _is_valid(code, behind[1:]):  # in a country that has no trunk prefix
        raise TrunkPrefixUnclear("0")
    return digits


def without_zero(code: str, behind: str) -> str:
    """The national number that was written ``(0)`` and ``behind``: brackets mean a zero that is only dialled at home.

    The zero stays where it is part of the number, as in Italy. Raises `TrunkPrefixUnclear` when that cannot be told.
    """
    if int(code) not in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        return behind
    valid = [number for number in (behind, f"0{behind}") if _is_valid(code, number)]
    if len(valid) == 1:
        return valid[0]
    prefix = "" if valid else _trunk_prefix(code, f"{code}0{behind}")
    if prefix == "0":
        return behind
    if prefix:  # the zero is only its beginning: 06 in Hungary
        return without_trunk_prefix(f"{code}0{behind}").removeprefix(code)
    raise TrunkPrefixUnclear("0")


def _trunk_prefix(code: str, digits: str) -> str:
    """The digits behind the country code that may be a trunk prefix, or empty. Cheap: every number goes through it."""
    pattern = _trunk_prefixes(code)
    found = pattern and pattern.match(digits, len(code))
    return found[0] if found else ""


@cache
def _trunk_prefixes(code: str) -> re.Pattern[str] | None:
    region = phonenumbers.region_code_for_country_code(int(code))
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
    prefixes = metadata and metadata.national_prefix_for_parsing
    return re.compile(prefixes) if prefixes else None


def _is_valid(code: str, national: str) -> bool:
    """Whether exactly these digits, leading zeros included, are a national number of the country."""
    zeros = len(national) - len(national.lstrip("0"))
    return phonenumbers.is_valid_number(
        PhoneNumber(
            country_code=int(code),
            national_number=int(national or 0),
            italian_leading_zero=zeros > 0 or None,
            number_of_leading_zeros=zeros if zeros > 1 else None,
        )
    )

"""What countries put before a national number, and whether it is part of it: from the tables of ``phonenumbers``."""

from __future__ import annotations

import re
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber

_LONGEST_CODE = 3


class TrunkPrefixUnclear(Exception):
    """Whether what stands behind the country code is a trunk prefix cannot be told; the text is those digits."""


def country_code(digits: str) -> str | None:
    """The country code that the digits begin with; None when it is nobody's."""
    for length in range(1, _LONGEST_CODE + 1):
        if len(digits) >= length and int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return digits[:length]
    return None


def without_trunk_prefix(digits: str) -> str:
    """A number as it is dialled from abroad. Raises `TrunkPrefixUnclear`.

    One that is valid as it stands stays so, and so does one that no country can have: it is of the operator's own plan.
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
    """The national number of which somebody wrote that a zero before it is for callers at home.

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
    if prefix:  # of which the zero is a part only: 06 in Hungary
        return without_trunk_prefix(f"{code}0{behind}").removeprefix(code)
    raise TrunkPrefixUnclear("0")


def _trunk_prefix(code: str, digits: str) -> str:
    """What may be one behind the country code, or empty. Cheap, since it is asked of every number."""
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
    """Whether a national number with exactly these digits is one."""
    zeros = len(national) - len(national.lstrip("0"))
    return phonenumbers.is_valid_number(
        PhoneNumber(
            country_code=int(code),
            national_number=int(national or 0),
            italian_leading_zero=zeros > 0 or None,
            number_of_leading_zeros=zeros if zeros > 1 else None,
        )
    )

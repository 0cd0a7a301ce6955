"""Numbers as trunks want them."""

from __future__ import annotations

import pytest

from bridge.telephony.formats import Formats, TrunkFormat

HOME, ABROAD = "41793026727", "38515507799"


@pytest.mark.parametrize(
    ("places", "home", "abroad"),
    [
        ({}, HOME, ABROAD),
        ({"": "+"}, "+41793026727", "+38515507799"),
        ({"": "00"}, "0041793026727", "0038515507799"),
        ({"41": "0", "": "00"}, "0793026727", "0038515507799"),
        ({"41": "", "": "011"}, "793026727", "01138515507799"),
        ({"": "1234#"}, "1234#41793026727", "1234#38515507799"),
        ({"417": "7"}, "793026727", ABROAD),
        ({"41": "0", "4179": "9079", "": "00"}, "90793026727", "0038515507799"),
        ({HOME: ""}, HOME, ABROAD),
    ],
)
def test_the_longest_prefix_is_replaced(places: dict[str, str], home: str, abroad: str) -> None:
    of_trunk = TrunkFormat(number=places)
    assert (of_trunk.number_sent(HOME), of_trunk.number_sent(ABROAD)) == (home, abroad)
    assert of_trunk.caller_id_sent(HOME) == HOME


def test_a_trunk_has_its_own_format_and_the_caller_id_another() -> None:
    formats = Formats({"plus": TrunkFormat({"": "+"}, {"41": "0"})}, caller_id=HOME)
    assert formats.sent("plus", HOME, ABROAD) == ("+41793026727", ABROAD)
    assert formats.sent("plus", ABROAD, None) == ("+38515507799", "0793026727")
    assert formats.sent("unknown", HOME, None) == (HOME, HOME)
    assert Formats().sent("any", HOME, None) == (HOME, None)

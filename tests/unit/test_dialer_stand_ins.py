"""Which trunks may dial the messages of one that is down."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.dialer.stand_ins import stand_ins
from bridge.messages.routes import Routes

PAIRS = st.lists(st.tuples(st.sampled_from(["", "3", "38", "385", "49"]), st.sampled_from("abcd")), max_size=8)
NUMBERS = ["385911", "381", "3", "4917", "1"]


def test_a_trunk_to_everywhere_stands_in_for_one_of_a_prefix_and_not_the_other_way_round() -> None:
    routes = Routes([("385", "croatia"), ("", "world")])
    assert stand_ins(routes, "croatia") == ["world"]
    assert stand_ins(routes, "world") == []


def test_those_of_the_same_prefix_come_before_those_of_a_shorter_one() -> None:
    routes = Routes([("", "world"), ("385", "first"), ("385", "second")])
    assert stand_ins(routes, "first") == ["second", "world"]


def test_one_that_leads_to_some_of_the_numbers_only_does_not_stand_in() -> None:
    assert stand_ins(Routes([("385", "both"), ("386", "both"), ("385", "one")]), "both") == []


def test_an_unknown_trunk_has_no_stand_in() -> None:
    assert stand_ins(Routes([("", "world")]), "nowhere") == []


@given(PAIRS, st.sampled_from(NUMBERS), st.sampled_from("abcd"))
def test_a_stand_in_leads_to_every_number_of_its_trunk(pairs: list[tuple[str, str]], number: str, trunk: str) -> None:
    routes = Routes(pairs)
    trunks = routes.trunks(number)
    if trunk in trunks:
        assert set(stand_ins(routes, trunk)) <= set(trunks) - {trunk}

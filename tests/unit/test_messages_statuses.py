"""The tables that applications match against."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.messages.statuses import ERROR_GROUPS, STATUS_GROUPS, error, errors, status, statuses


def test_every_status_from_0_to_26_is_in_the_table_once() -> None:
    assert [known.id for known in statuses()] == list(range(27))
    assert len({known.name for known in statuses()}) == 27
    assert {known.group for known in statuses()} == set(STATUS_GROUPS)


@pytest.mark.parametrize(
    ("id_", "group", "name"),
    [
        (3, "PENDING", "PENDING_WAITING_DELIVERY"),
        (4, "UNDELIVERABLE", "UNDELIVERABLE_REJECTED_OPERATOR"),
        (5, "DELIVERED", "DELIVERED_TO_HANDSET"),
        (7, "PENDING", "PENDING_ENROUTE"),
        (9, "UNDELIVERABLE", "UNDELIVERABLE_NOT_DELIVERED"),
        (15, "EXPIRED", "EXPIRED_EXPIRED"),
        (26, "PENDING", "PENDING_ACCEPTED"),
    ],
)
def test_statuses_have_their_documented_group(id_: int, group: str, name: str) -> None:
    assert (status(id_).group, status(id_).name) == (group, name)


def test_a_name_of_a_status_starts_with_its_group() -> None:
    exceptions = {0}
    assert all(known.name.startswith(known.group) for known in statuses() if known.id not in exceptions)


@pytest.mark.parametrize(
    ("id_", "group", "name", "permanent"),
    [
        (5000, "OK", "VOICE_ANSWERED", True),
        (5002, "USER_ERRORS", "EC_VOICE_USER_BUSY", True),
        (5003, "USER_ERRORS", "EC_VOICE_NO_ANSWER", True),
        (5480, "OPERATOR_ERRORS", "EC_VOICE_ERROR_TEMPORARILY_NOT_AVAILABLE", False),
        (5603, "OPERATOR_ERRORS", "EC_DECLINE", False),
    ],
)
def test_errors_have_their_documented_group_and_name(id_: int, group: str, name: str, permanent: bool) -> None:
    known = error(id_)
    assert (known.group, known.name, known.permanent) == (group, name, permanent)


def test_an_error_without_a_name_of_its_own_carries_its_sip_status() -> None:
    unknown = error(5488)
    assert (unknown.id, unknown.name, unknown.group) == (5488, "EC_UNKNOWN_ERROR", "OPERATOR_ERRORS")
    assert "488" in unknown.description
    assert all(known.name != "EC_UNKNOWN_ERROR" for known in errors())


def test_the_documentation_lists_every_status_and_error() -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    rows = [line.replace("*", "").replace("`", "") for line in documentation.splitlines()]
    for known in statuses():
        assert f"| {known.id} | {STATUS_GROUPS.index(known.group)} | {known.name} |" in rows
    for fault in errors():
        permanent = "yes" if fault.permanent else "no"
        group = ERROR_GROUPS.index(fault.group)
        assert f"| {fault.id} | {group} | {fault.name} | {permanent} | {fault.description} |" in rows

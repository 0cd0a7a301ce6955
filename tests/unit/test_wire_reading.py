"""Whose the packets of a capture are, when several labs use the same RTP ports one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from tests.e2e.wire import of_calls

BRIDGE = {5060, 12000, 12002}
INVITE = "1.0|5060|5070|one|INVITE||INVITE|12000|||"
ANSWER = "1.1|5070|5060|one||200|INVITE|14000|||"
BYE = "1.9|5060|5070|one|BYE||BYE||||"
KEY = "{at}|{source}|{target}||||||7|1|"
SPEECH = "{at}|{source}|{target}||||||8||55:d4"


def rtp(kind: str, at: float, source: int, target: int) -> str:
    return kind.format(at=at, source=source, target=target)


def heard(lines: Iterable[str]) -> list[tuple[float, str, bool, bool, str]]:
    return [
        (packet.at, packet.call_id, packet.from_bridge, packet.ends_key, packet.payload)
        for packet in of_calls(lines, BRIDGE)
        if packet.is_rtp
    ]


def test_the_packets_of_a_call_are_told_with_their_call() -> None:
    lines = [INVITE, ANSWER, rtp(KEY, 1.2, 14000, 12000), rtp(SPEECH, 1.3, 12000, 14000), BYE]
    assert heard(lines) == [(1.2, "one", False, True, ""), (1.3, "one", True, False, "55d4")]


def test_packets_of_other_labs_are_left_out() -> None:
    before, after = rtp(KEY, 0.9, 14000, 12000), rtp(KEY, 2.0, 14000, 12000)
    one_port, both_ports = rtp(KEY, 1.5, 14002, 12000), rtp(KEY, 1.6, 14002, 12002)
    assert heard([before, INVITE, ANSWER, one_port, both_ports, BYE, after]) == []


def test_a_port_that_the_next_call_takes_over_is_the_next_calls() -> None:
    again = [line.replace("|one|", "|two|") for line in (INVITE, ANSWER)]
    assert heard([INVITE, ANSWER, BYE, *again, rtp(KEY, 2.0, 14000, 12000)]) == [(2.0, "two", False, True, "")]


def test_sip_is_all_the_labs_own() -> None:
    packets = list(of_calls([INVITE, ANSWER, BYE], BRIDGE))
    assert [(packet.method, packet.status, packet.from_bridge) for packet in packets] == [
        ("INVITE", "", True),
        ("", "200", False),
        ("BYE", "", True),
    ]

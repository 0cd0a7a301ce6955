"""Ports of labs that run side by side."""

from __future__ import annotations

import os
import socket
from itertools import combinations

from bridge.lab.ports import BLOCK, Ports, claim


def test_no_two_labs_get_the_same_ports() -> None:
    claimed = [claim(None) for _ in range(3)]
    for _, holder in claimed:
        os.close(holder)
    assert len({ports.first for ports, _ in claimed}) == 3
    assert all(abs(one.first - two.first) >= BLOCK for (one, _), (two, _) in combinations(claimed, 2))


def test_a_lab_gets_its_ports_back() -> None:
    ports, holder = claim(None)
    os.close(holder)
    again, holder = claim(ports.first)
    os.close(holder)
    assert again == ports


def test_ports_of_other_programs_are_left_alone() -> None:
    ports, holder = claim(None)
    os.close(holder)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", ports.bridge_sip))
        elsewhere, holder = claim(ports.first)
        os.close(holder)
    assert elsewhere != ports


def test_a_lab_has_ports_for_five_hundred_calls() -> None:
    ports = Ports(10000)
    ranges = [ports.bridge_rtp, ports.carrier_rtp]
    assert all(last - first + 1 >= 4 * 500 and first % 2 == 0 for first, last in ranges)
    assert ports.bridge_rtp[1] < ports.carrier_rtp[0]
    assert ports.carrier_rtp[1] < 10000 + BLOCK

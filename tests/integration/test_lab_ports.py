"""Ports of labs that run side by side."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from bridge.lab.ports import FIRST_PORT, LABS, STEP, Ports, claim

ALL = [Ports(FIRST_PORT + STEP * lab) for lab in range(LABS)]


def listened_on(ports: Ports) -> set[int]:
    return {ports.http, ports.ami, ports.bridge_sip, ports.carrier_sip}


def test_no_two_labs_get_the_same_ports() -> None:
    claimed = [claim(None) for _ in range(3)]
    for _, holder in claimed:
        os.close(holder)
    assert len({ports for ports, _ in claimed}) == 3


def test_no_lab_listens_where_another_one_does() -> None:
    taken = [port for ports in ALL for port in listened_on(ports)]
    assert len(taken) == len(set(taken))


def test_rtp_is_in_nobodys_way() -> None:
    every_rtp = {
        port for ports in ALL for first, last in (ports.bridge_rtp, ports.carrier_rtp) for port in (first, last)
    }
    assert max(every_rtp) < 65536
    assert min(every_rtp) > max(max(listened_on(ports)) for ports in ALL)


def test_no_outgoing_connection_takes_a_port_that_a_part_of_a_lab_listens_on() -> None:
    first_outgoing, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert max(max(listened_on(ports)) for ports in ALL) < int(first_outgoing)


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
    for ports in ALL:
        for first, last in (ports.bridge_rtp, ports.carrier_rtp):
            assert last - first + 1 >= 4 * 500
            assert first % 2 == 0

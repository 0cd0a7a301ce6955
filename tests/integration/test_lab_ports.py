"""Ports of labs that run side by side."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest

from bridge.lab.ports import FIRST_PORT, LABS, STEP, Ports, claim, hold
from tests.ports import free_port, rtp_range

ALL = [Ports(FIRST_PORT + STEP * lab) for lab in range(LABS)]


def listened_on(ports: Ports) -> set[int]:
    return {ports.http, ports.ami, ports.bridge_sip, ports.carrier_sip}


def test_no_two_labs_get_the_same_ports() -> None:
    claimed = [claim(None) for _ in range(3)]
    for _, holder in claimed:
        os.close(holder)
    assert len({ports for ports, _ in claimed}) == 3


def test_a_lab_shares_its_rtp_ports_only_when_there_are_more_than_twelve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # as on a machine where no lab runs
    ports, holder = claim(None)
    os.close(holder)
    assert not ports.may_share_rtp
    ranges = [rtp for ports in ALL if not ports.may_share_rtp for rtp in (ports.bridge_rtp, ports.carrier_rtp)]
    assert len(ranges) == len(set(ranges)) == 24


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


def test_test_processes_have_other_ports_than_labs_and_than_each_other() -> None:
    of_labs = {port for ports in ALL for first, last in (ports.bridge_rtp, ports.carrier_rtp) for port in (first, last)}
    ranges = [rtp_range() for _ in range(6)]
    assert min(ports.start for ports in ranges) > max(of_labs)
    assert max(ports.stop for ports in ranges) <= 65536
    assert ranges[5] == ranges[0] != ranges[1]
    port = free_port(socket.SOCK_STREAM)
    assert hold(port) is None

"""What load balancers and operators are told of the daemon's health."""

from __future__ import annotations

from bridge.dialer.traffic import TrunkTraffic
from bridge.telephony.trunks import TrunkStanding
from tests.integration.api.conftest import Desk


async def test_health_is_open_and_readiness_says_what_is_wrong(desk: Desk) -> None:
    assert (await desk.client.get("/healthz")).status == 200
    ready = await desk.client.get("/readyz")
    assert ready.status == 200
    assert (await ready.json())["checks"] == {"asterisk": "ok"}
    desk.problems["asterisk"] = "the AMI link is down"
    unready = await desk.client.get("/readyz")
    assert unready.status == 503
    answer = await unready.json()
    assert answer["checks"] == {"asterisk": "the AMI link is down"}
    assert "AMI link" in answer["requestError"]["serviceException"]["text"]
    assert (await desk.client.get("/healthz")).status == 200


async def test_every_trunk_is_told_with_its_state_and_its_calls(desk: Desk) -> None:
    """Our own limit and the carrier's refusals stand apart."""
    desk.trunks["first"] = TrunkStanding("reachable", "rejected"), TrunkTraffic(3, 1 / 3, 17, 2)
    desk.problems["trunk"] = "Asterisk is not registered: first rejected"

    told = await desk.client.get("/readyz")

    assert told.status == 503
    assert (await told.json())["trunks"] == {
        "first": {
            "qualify": "reachable",
            "registration": "rejected",
            "calls": 3,
            "callsPerSecond": 0.333,
            "heldByOwnLimit": 17,
            "refusedByCarrier": 2,
        }
    }

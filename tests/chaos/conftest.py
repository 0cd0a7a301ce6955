"""Fixtures of the chaos tests: fleets on which faults are let loose."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.chaos.trial import IS_LONG

collect_ignore = [] if IS_LONG else ["test_chaos_throughput.py"]


@pytest.fixture(scope="session", autouse=True)
def fleet_settings_only() -> Iterator[None]:
    """What stands in the environment of the one who runs the tests reaches no lab."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("VOICEBRIDGE_")]:
            environment.delenv(name)
        yield

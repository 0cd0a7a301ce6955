"""Every error that a caller or an operator can see stands in the documentation."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import bridge
from bridge.base.errors import VoicebridgeError

DOCUMENTED = (Path(__file__).parents[2] / "docs" / "reference" / "errors.md").read_text()


def every_error(base: type[VoicebridgeError] = VoicebridgeError) -> list[type[VoicebridgeError]]:
    return [base, *(error for child in base.__subclasses__() for error in every_error(child))]


def test_every_error_id_is_listed() -> None:
    for module in pkgutil.walk_packages(bridge.__path__, "bridge."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    ids = {error.id for error in every_error()}
    assert len(ids) > 20
    assert {name for name in ids if not re.search(rf"`{name}`", DOCUMENTED)} == set()

"""``docs/reference/configuration.md`` has a line for every setting, and none for anything else."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.settings import Settings

DOCUMENTED = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def test_every_setting_has_one_line() -> None:
    lines = re.findall(r"^\| `VOICEBRIDGE_(\w+)` \|", DOCUMENTED.read_text(), re.MULTILINE)

    assert sorted(lines) == sorted(name.upper() for name in Settings.model_fields)

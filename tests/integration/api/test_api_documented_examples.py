"""What the documentation shows to send is accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.conftest import Desk

ROOT = Path(__file__).parents[3]

_BODY = re.compile(r"-d '(\{.*?\})'", re.DOTALL)
_ADDRESS = re.compile(r'URL(/[^\s"?]+)')
_SCENARIO = "E83E787CF2613450157ADA3476171E3F"


def posts(page: Path) -> list[tuple[str, str]]:
    """Address and body of each POST of a page."""
    _, *commands = re.split(r"^ *curl ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    sent = [(command, _ADDRESS.search(command), _BODY.search(command)) for command in commands]
    return [(address[1], body[1]) for command, address, body in sent if address and body and "-X PUT" not in command]


PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if posts(page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
async def test_every_request_that_is_shown_is_accepted(desk: Desk, page: Path) -> None:
    scenario = _SCENARIO
    for address, body in posts(page):
        answer: dict[str, Any] = await desk.sent(json.loads(body.replace(_SCENARIO, scenario)), address)
        if address == "/voice/ivr/1/scenarios":
            scenario = answer["id"]

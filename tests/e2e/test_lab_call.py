"""A call through the lab, as `make demo` places it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.admin.client import follow, send

if TYPE_CHECKING:
    from datetime import datetime

    from tests.e2e.running_lab import RunningLab


async def test_a_telephone_hears_the_prompt_bit_for_bit(lab: RunningLab) -> None:
    number = "99900000001"
    happened: list[str] = []

    def show(_at: datetime, what: str) -> None:
        happened.append(what)

    token = await send(lab.url, lab.headers, {"from": "41790000000", "to": number, "text": "Good morning."})
    cdr = await follow(lab.url, lab.headers, token, show)

    assert cdr["status"]["name"] == "DELIVERED_TO_HANDSET"
    assert happened[:3] == ["dialled", "ringing", "answered"]
    assert happened[-1].startswith("hung up by the caller")
    prompts = [file.read_bytes() for file in (lab.data_dir / "speech").rglob("*.ulaw")]
    assert await lab.heard(number) in prompts
    assert [call.caller_id for call in lab.calls(number)] == ["41790000000"]

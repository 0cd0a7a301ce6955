"""``make demo``: one interactive call through the REST interface, shown up to its report, CDR and recording."""

from __future__ import annotations

import asyncio
import secrets

from rich.console import Console

from bridge.admin.client import DELIVERED, fetch, follow, send, show_on
from bridge.lab.lab import Lab
from bridge.lab.processes import until

PRESSES_1_AFTER_6_SECONDS = "99916019999"
TEXT = "Hello, this is Voicebridge. Your code is,, 4,, 7,, 1,, 1. Press 1 to confirm that you heard it."
HEARD_WITHIN = 5.0


def demo(lab: Lab) -> int:
    """Exit status 0 when the telephone was answered. A lab that was not running is stopped at the end."""
    own = not lab.running
    try:
        print("Starting the lab ...", flush=True)
        lab.up()
        return asyncio.run(_call(lab))
    finally:
        if own:
            lab.down()


async def _call(lab: Lab) -> int:
    console = Console(highlight=False)
    environment = lab.environment()
    url, headers = environment["VOICEBRIDGE_URL"], {"Authorization": f"App {environment['VOICEBRIDGE_API_KEY']}"}
    # What follows 99 tells telephones apart.
    number = f"{PRESSES_1_AFTER_6_SECONDS}{secrets.randbelow(1000):03}"
    message = {
        "from": "41790000000",
        "destinations": [{"to": number}],
        "text": TEXT,
        "language": "en",
        "record": True,
        "actions": [{"if": "dtmf", "equals": "1", "actionGroup": "confirm"}],
        "actionGroups": {"confirm": [{"say": "Thank you,, good bye!"}, "hangup"]},
    }

    console.print(f"POST {url}/tts/3/advanced")
    console.print_json(data={"messages": [message]})
    token = await send(url, headers, {"messages": [message]}, "/tts/3/advanced")
    console.print(f"200, token {token}")
    cdr = await follow(url, headers, token, show_on(console))
    console.print("Report (GET /tts/3/reports):")
    console.print_json(data=await fetch(url, headers, f"/tts/3/reports?messageId={token}"))
    console.print(f"CDR (GET /voice/1/calls/{token}/cdr):")
    console.print_json(data=cdr)
    _show_heard(lab, number, console)
    for recording in cdr["attempts"][-1]["recordings"]:
        console.print(f"The recording ({recording['seconds']} s): GET {recording['url']}", soft_wrap=True)
    return 0 if cdr["status"]["groupId"] == DELIVERED else 1


def _show_heard(lab: Lab, number: str, console: Console) -> None:
    if until(lambda: bool(lab.phone_calls(number)), HEARD_WITHIN):
        console.print(f"What the telephone heard (µ-law, 8 kHz): {lab.phone_calls(number)[-1].heard}", soft_wrap=True)

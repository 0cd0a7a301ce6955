"""Transfers: the AGI commands that join the callee with somebody else, by Asterisk's Dial(), and what it answers."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from bridge.asterisk.channel import agi
from bridge.telephony.errors import UnsafeValue
from bridge.telephony.events import Origination, TransferOrder, TransferOver

STATUS = "DIALSTATUS"
RESULT = f'GET FULL VARIABLE "${{{STATUS}}}:${{DIALEDPEERNUMBER}}"'

_RESULTS: dict[str, Literal["answered", "busy", "no-answer", "failed"]] = {
    "ANSWER": "answered",
    "BUSY": "busy",
    "NOANSWER": "no-answer",
}


def commands(transfer: TransferOrder, origination: Origination) -> tuple[str, ...]:
    """The commands of a transfer; the last one's answer says how it went. Raises ``UnsafeValue``."""
    shown = transfer.caller_id or origination.caller_id
    warns = transfer.warning_seconds is not None and transfer.warning_tone is not None
    return (
        *(_record_anew(origination.record_to) if origination.record_to else []),
        *([f'SET CALLERID "{_number(shown)}"'] if shown else []),
        *(_warn_with(transfer.warning_tone or "") if warns else []),
        _dial(transfer, origination.trunk, warns=warns),
        RESULT,
    )


def transfer_over(at: datetime, answer: str, joined_at: datetime | None) -> TransferOver:
    """What the answer to ``RESULT`` means; ANSWEREDTIME counts from the answer of the whole call, so we count."""
    status, _, peer = answer.partition(":")
    result = _RESULTS.get(status, "failed")
    if result != "answered":
        return TransferOver(at, result, None, 0.0)
    return TransferOver(at, result, peer.partition("@")[0], (at - (joined_at or at)).total_seconds())


def _record_anew(file: str) -> list[str]:
    """Stop the recording and go on with it, 50 ms later, in the same file.

    MixMonitor() takes the other side's RTP packets for late ones, and drops them, when their sequence numbers are
    32,768 or more above those it saw last, as in every second transfer. Frames that pass in between make it forget
    those.
    """
    return [
        'EXEC StopMixMonitor ""',
        agi.SILENCE,
        'EXEC Wait "0.05"',
        f"EXEC MixMonitor {agi.quoted_file(f'{file},a')}",
    ]


def _warn_with(stem: str) -> list[str]:
    settings = {
        "LIMIT_WARNING_FILE": agi.quoted_file(stem),
        "LIMIT_PLAYAUDIO_CALLER": '"yes"',
        "LIMIT_PLAYAUDIO_CALLEE": '"yes"',
    }
    return [f"SET VARIABLE {name} {value}" for name, value in settings.items()]


def _dial(transfer: TransferOrder, trunk: str, *, warns: bool) -> str:
    """The callee stays when the other side leaves (g), and no answer of the network may forward the call (i)."""
    targets = "&".join(f"PJSIP/{_number(number)}@{trunk}" for number in transfer.numbers)
    warning = f":{(transfer.warning_seconds or 0) * 1000}" if warns else ""
    return f'EXEC Dial "{targets},{transfer.ring_seconds},giL({transfer.max_seconds * 1000}{warning})"'


def _number(number: str) -> str:
    if not re.fullmatch(r"\+?[0-9*#]{1,32}", number):
        raise UnsafeValue("a number holds something else than digits")
    return number

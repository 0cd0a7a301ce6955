"""Originate: the AMI action that has Asterisk place a call."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from bridge.asterisk.journal import dialling_line
from bridge.telephony.errors import UnsafeValue
from bridge.telephony.events import Origination

CONTEXT = "voicebridge"
"""Our dialplan context, and the account code of our calls: Asterisk sends us the events of these only."""
COMMANDS = "commands"
"""The extension in which a channel takes commands."""


def originate(origination: Origination, *, call_limit: int, journal: Path, now: datetime) -> dict[str, str | list[str]]:
    """The headers of the action; ``call_limit`` is seconds, ``journal`` the call's file. Raises ``UnsafeValue``.

    Asterisk sets the variables on the new channel before the INVITE leaves, and calls the functions among them. (It has
    a header PreDialGoSub, but an Originate with Async passes over it.)
    """
    _check(origination)
    variables = [
        f"VOICEBRIDGE_CALL_LIMIT={call_limit}",
        f"VOICEBRIDGE_JOURNAL={journal}",
        f'CHANNEL(hangup_handler_push)="{CONTEXT},ended,1"',
        f"FILE({journal},,,al,u)={dialling_line(origination.channel_id, now)}",
    ]
    if origination.record_to:
        variables.append(f"VOICEBRIDGE_RECORDING={origination.record_to}")
    headers: dict[str, str | list[str]] = {
        "Channel": f"PJSIP/{origination.number}@{origination.trunk}",
        "ChannelId": origination.channel_id,
        "Context": CONTEXT,
        "Exten": "answered",
        "Priority": "1",
        "Timeout": str(origination.ring_timeout * 1000),
        "Account": CONTEXT,
        "Async": "true",
        "Variable": variables,
    }
    if origination.caller_id:
        headers["CallerID"] = origination.caller_id
    return headers


def _check(origination: Origination) -> None:
    if not re.fullmatch(r"\+?[0-9*#]{1,32}", origination.number):
        raise UnsafeValue("the number holds something else than digits")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", origination.trunk):
        raise UnsafeValue("the trunk's name holds something else than letters, digits, - and _")
    if not re.fullmatch(r"\+?[0-9]{0,32}", origination.caller_id or ""):
        raise UnsafeValue("the caller id holds something else than digits")
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", origination.channel_id):
        raise UnsafeValue("the channel's id holds something else than letters, digits, - _ and .")
    if re.search(r"[^\w/.@%+:~ -]", origination.record_to or ""):
        raise UnsafeValue("the recording's path holds a character that the dialplan gives a meaning to")

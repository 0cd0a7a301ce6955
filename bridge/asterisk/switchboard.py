"""Places calls on one Asterisk and hands each what happens on its channel."""

from __future__ import annotations

import asyncio
import re
from enum import Enum

import structlog

from bridge.asterisk.call import Call
from bridge.asterisk.calls import Origination
from bridge.asterisk.errors import AmiError, Unconfirmed, UnsafeValue
from bridge.asterisk.link import AmiLink
from bridge.asterisk.wire import Event

CONTEXT = "voicebridge"
"""Our dialplan context, and the account code by which Asterisk knows our calls and sends their events only."""

_LATE_SECONDS = 1.0
_OVERDUE_SECONDS = 15.0

_log = structlog.get_logger(__name__)


class TrunkState(Enum):
    """What Asterisk knows of a trunk."""

    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
    """There is no endpoint of that name."""


class Switchboard:
    """The live calls on one Asterisk, by attempt id."""

    def __init__(self, link: AmiLink) -> None:
        self._link = link
        self._calls: dict[str, Call] = {}
        self._overdue: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        link.subscribe(self._take, self._reconcile_all)

    async def place(self, origination: Origination) -> Call:
        """Have the number called. It is dialled at most once, whatever happens to the link.

        Raises ``UnsafeValue``, ``LinkDown`` and ``Rejected``, when it is certain that nothing was dialled; all that
        happens afterwards comes as the call's events.
        """
        _check(origination)
        call = Call(self._link, origination, self._forget)
        self._calls[call.id] = call
        try:
            await self._link.send("Originate", **_originate(origination, call.limit))
        except Unconfirmed:
            _log.warning("originate_unconfirmed", attempt=call.id)
        except AmiError:
            self._forget(call.id)
            raise
        if not call.over:
            self._watch(call)
        return call

    async def trunk_state(self, trunk: str) -> TrunkState:
        """Whether the trunk answers OPTIONS requests (``qualify``). Raises ``AmiError``.

        Calls go out whatever it says: some trunks answer calls only. A silent trunk is asked again at once, so that it
        is soon known when it is back.
        """
        for endpoint in (f"{trunk}-probe", trunk):
            state = (await self._link.send("Getvar", Variable=f"DEVICE_STATE(PJSIP/{endpoint})"))["Value"]
            if state == "UNAVAILABLE":
                await self._link.send("PJSIPQualify", Endpoint=endpoint)
                return TrunkState.UNREACHABLE
            if state != "INVALID":
                return TrunkState.REACHABLE
        return TrunkState.UNKNOWN

    def _take(self, event: Event) -> None:
        if call := self._calls.get(event.get("Uniqueid", "")):
            call.take(event)

    def _reconcile_all(self) -> None:
        if self._calls:
            self._begin_reconcile(list(self._calls.values()))

    async def _reconcile(self, calls: list[Call]) -> None:
        """Settle what happened to calls while there was no link: AMI tells no event twice."""
        try:
            missing = await self._resume(calls)
            # What Asterisk had read from the old link may become a channel only now.
            await asyncio.sleep(_LATE_SECONDS)
            for call in await self._resume(missing):
                call.lose()
        except AmiError as error:
            _log.warning("not_reconciled_before_next_login", calls=len(calls), reason=str(error))

    async def _resume(self, calls: list[Call]) -> list[Call]:
        """Resume the calls that have a channel; return those that have none, and have not ended."""
        listed = await self._link.collect("CoreShowChannels")
        channels = {entry["Uniqueid"]: entry for entry in listed if entry.get("Event") == "CoreShowChannel"}
        for call in calls:
            if call.id in channels and not call.over:
                await call.resume(channels[call.id])
        return [call for call in calls if call.id not in channels and not call.over]

    def _watch(self, call: Call) -> None:
        """Look into a call whose end was not heard of; a transfer may have put it off."""
        due = call.ends_at + _OVERDUE_SECONDS
        self._overdue[call.id] = asyncio.get_running_loop().call_at(due, self._look_after, call, due)

    def _look_after(self, call: Call, due: float) -> None:
        if call.ends_at + _OVERDUE_SECONDS > due:
            self._watch(call)
        else:
            self._begin_reconcile([call])

    def _begin_reconcile(self, calls: list[Call]) -> None:
        task = asyncio.create_task(self._reconcile(calls))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _forget(self, call_id: str) -> None:
        self._calls.pop(call_id, None)
        if overdue := self._overdue.pop(call_id, None):
            overdue.cancel()


def _check(origination: Origination) -> None:
    if not re.fullmatch(r"\+?[0-9*#]{1,32}", origination.number):
        raise UnsafeValue("the number holds something else than digits")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", origination.trunk):
        raise UnsafeValue("the trunk's name holds something else than letters, digits, - and _")
    if not re.fullmatch(r"\+?[0-9]{0,32}", origination.caller_id or ""):
        raise UnsafeValue("the caller id holds something else than digits")
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", origination.attempt_id):
        raise UnsafeValue("the attempt's id holds something else than letters, digits, - _ and .")
    if re.search(r"[^\w/.@%+:~ -]", origination.record_to or ""):
        raise UnsafeValue("the recording's path holds a character that the dialplan gives a meaning to")


def _originate(origination: Origination, call_limit: int) -> dict[str, str | list[str]]:
    headers: dict[str, str | list[str]] = {
        "Channel": f"PJSIP/{origination.number}@{origination.trunk}",
        "ChannelId": origination.attempt_id,
        "Context": CONTEXT,
        "Exten": "answered",
        "Priority": "1",
        "Timeout": str(origination.ring_timeout * 1000),
        "Account": CONTEXT,
        "Async": "true",
        "Variable": f"VOICEBRIDGE_CALL_LIMIT={call_limit}",
    }
    if origination.record_to:
        headers["Variable"] = [f"VOICEBRIDGE_CALL_LIMIT={call_limit}", f"VOICEBRIDGE_RECORDING={origination.record_to}"]
    if origination.caller_id:
        headers["CallerID"] = origination.caller_id
    return headers

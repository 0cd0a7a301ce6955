"""Switchboard: places calls on one Asterisk, and hands each call the AMI events of its channel."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.ami.wire import Event
from bridge.asterisk.channel.channel import AsteriskChannel
from bridge.asterisk.channel.lifecycle import ReportedState
from bridge.asterisk.channel.originate import COMMANDS, originate
from bridge.asterisk.journal import Journal
from bridge.base.tasks import Background
from bridge.telephony.errors import ExchangeError, JournalUnreadable, Rejected, Unconfirmed
from bridge.telephony.events import Origination
from bridge.telephony.exchange import GONE_FOR_GOOD
from bridge.telephony.records import Record

_LATE_SECONDS = 1.0
_VERY_LATE_SECONDS = 9.0
_OVERDUE_SECONDS = 15.0
_LEFT_ALONE_SECONDS = 10.0
_log = structlog.get_logger(__name__)


class Switchboard:
    """The live calls on one Asterisk, by the ids of their channels."""

    def __init__(self, link: AmiLink, journal: Journal) -> None:
        self._link = link
        self._journal = journal
        self._calls: dict[str, AsteriskChannel] = {}
        self._arriving: dict[str, list[Event]] = {}
        self._overdue: dict[str, asyncio.TimerHandle] = {}
        self._left_alone: dict[str, float] = {}
        self._file_seen: Path | None = None
        self._looking = Background("switchboard_failed", logged_as={"asterisk": link.name})
        link.subscribe(self._take, self._reconcile_all)

    @property
    def name(self) -> str:
        """The ``host:port`` of its AMI."""
        return self._link.name

    @property
    def connected(self) -> bool:
        return self._link.connected

    @property
    def live_calls(self) -> int:
        """Calls whose end has not been told yet."""
        return len(self._calls)

    def is_left_alone(self, trunk: str) -> bool:
        """Whether it lately did not begin a call over this trunk, and gets none until it may have recovered."""
        return asyncio.get_running_loop().time() < self._left_alone.get(trunk, 0)

    def takes_calls(self, trunk: str) -> bool:
        """Whether it may be given calls over this trunk: there is a link, and it is not left alone."""
        return self.connected and not self.is_left_alone(trunk)

    def leave_alone(self, trunk: str) -> None:
        """Give it no calls over this trunk for a while, or until the next login: it may then be another Asterisk."""
        self._left_alone[trunk] = asyncio.get_running_loop().time() + _LEFT_ALONE_SECONDS

    async def close(self) -> None:
        """Stop looking after the calls; they go on."""
        self._looking.cancel()
        await self._looking.wait()

    async def place(self, origination: Origination) -> AsteriskChannel:
        """Have the number called. It is dialled at most once, whatever happens to the link.

        Raises ``UnsafeValue``, ``LinkDown`` and ``Rejected``, when it is certain that nothing was dialled; all that
        happens afterwards comes as the call's events.
        """
        now = datetime.now(UTC)
        call = AsteriskChannel(self._link, origination, self._forget, placed_at=now)
        headers = originate(origination, call_limit=call.limit, journal=self._journal.file(self.name, now), now=now)
        self._calls[call.id] = call
        try:
            await self._link.send("Originate", **headers)
        except Unconfirmed:
            _log.warning("originate_unconfirmed", channel=call.id)
        except ExchangeError:
            self._forget(call.id)
            raise
        if not call.over:
            self._watch(call)
        return call

    async def adopt(self, originations: Sequence[Origination], placed_since: datetime) -> dict[str, AsteriskChannel]:
        """Take over calls, and return those whose channels are alive, by their ids.

        Those that are followed already are returned as they are. The others tell events as placed calls do: first
        Ringing, or Answered and Ready, then what came meanwhile, keys included. What was under way on a channel cannot
        be seen there: tell it to the call with its ``adopt_*`` methods. Takes a second when one of them has no channel.
        Raises ``ExchangeError`` when Asterisk does not tell.
        """
        wanted = {origination.channel_id: origination for origination in originations}
        self._arriving.update((channel_id, []) for channel_id in wanted if channel_id not in self._calls)
        try:
            channels = await self._look_for(wanted)
            if len(channels) < len(wanted):
                await asyncio.sleep(_LATE_SECONDS)
                channels |= await self._look_for(wanted)
            records = await self._read(channels, placed_since) or {}
            seconds_left = {channel_id: await self._seconds_left(channel_id) for channel_id in channels}
            silent = {channel_id: await self._is_silent(channel) for channel_id, channel in channels.items()}
            followed = {channel_id: self._calls[channel_id] for channel_id in channels if channel_id in self._calls}
            calls = {
                channel_id: AsteriskChannel(self._link, wanted[channel_id], self._forget, placed_at=placed_since)
                for channel_id in channels
                if channel_id not in followed
            }
            self._calls |= calls
            for channel_id, call in calls.items():
                call.catch_up(
                    channels[channel_id],
                    records.get(channel_id),
                    is_silent=silent[channel_id],
                    seconds_left=seconds_left[channel_id],
                )
                self._watch(call)
                for event in self._arriving.get(channel_id, ()):
                    call.take(event)
            return followed | calls  # also those that have ended meanwhile
        finally:
            for channel_id in wanted:
                self._arriving.pop(channel_id, None)

    def _take(self, event: Event) -> None:
        channel_id = event.get("Uniqueid") or event.get("DestUniqueid", "")
        if (call := self._calls.get(channel_id)) is not None:
            call.take(event)
            if event["Event"] == "Hangup":
                self._see_that_the_journal_is_kept(call)
            elif event["Event"] == "OriginateResponse" and not call.over:
                self._looking.begin(self._see_whether_it_had_a_channel(call))
        elif (arrived := self._arriving.get(channel_id)) is not None:
            arrived.append(event)

    async def _seconds_left(self, channel_id: str) -> float | None:
        """Until Asterisk ends the call by itself; None of one that is not answered, or has just ended."""
        return float(await self._value(channel_id, "TIMEOUT(absolute)") or 0) or None

    async def _is_silent(self, channel: Event) -> bool:
        """Whether it is certain that nothing but a 100 has come from the trunk yet: nothing rings.

        Any other response sets the dialog's remote tag (RFC 3261, 8.2.6.2) and is the latest of the channel. Early
        media leaves no other trace. A Call-ID proves that the channel was still there when it was asked.
        """
        if channel["ChannelState"] != ReportedState.DOWN:
            return False
        asked = ("CHANNEL(pjsip,remote_tag)", f"HANGUPCAUSE({channel['Channel']},tech)", "CHANNEL(pjsip,call-id)")
        tag, latest, call_id = [await self._value(channel["Uniqueid"], variable) for variable in asked]
        return not tag and (not latest or latest.startswith("SIP 100 ")) and bool(call_id)

    async def _value(self, channel_id: str, variable: str) -> str:
        """The present value of a channel's variable; empty when the channel has just ended."""
        try:
            return (await self._link.send("Getvar", Channel=channel_id, Variable=variable))["Value"]
        except Rejected:
            return ""

    def _see_that_the_journal_is_kept(self, call: AsteriskChannel) -> None:
        """Look into each file once, for a call that is over: without its lines nothing would be known after a crash."""
        file = self._journal.file(self.name, datetime.now(UTC))
        if file != self._file_seen:
            self._file_seen = file
            self._looking.begin(self._read_back(call, file))

    async def _read_back(self, call: AsteriskChannel, file: Path) -> None:
        if not await self._records([call]):
            _log.error("journal_not_kept", asterisk=self.name, file=str(file))

    async def _see_whether_it_had_a_channel(self, call: AsteriskChannel) -> None:
        """End a call that failed without one: its Hangup does not come, and Asterisk wrote nothing down of it.

        Where the journal is not kept, its Hangup is waited for, for longer than any has been seen to be late.
        """
        await asyncio.sleep(_LATE_SECONDS)
        if not call.had_no_channel:
            return
        records = await self._records([call])
        if not records and not await self._journal.is_kept(self.name, call.placed_at):
            await asyncio.sleep(_VERY_LATE_SECONDS)
        if call.had_no_channel and not records:
            call.end_without_channel(dialled=records is None)

    def _reconcile_all(self) -> None:
        self._left_alone.clear()
        for call in self._calls.values():
            call.link_is_back()
        if self._calls:
            self._looking.begin(self._reconcile(list(self._calls.values())))

    async def _reconcile(self, calls: list[AsteriskChannel], *, are_overdue: bool = False) -> None:
        """Settle what happened to calls while there was no link: AMI tells no event twice.

        Those that are overdue cannot be alive: they are settled even without a link, unless they may begin yet.
        """
        asked = True
        try:
            missing = await self._resume(calls)
            # What Asterisk had read from the old link may become a channel only now.
            await asyncio.sleep(_LATE_SECONDS)
            missing = await self._resume(missing)
        except ExchangeError as error:
            _log.warning("not_reconciled_before_next_login", calls=len(calls), reason=error)
            if not are_overdue:
                return
            missing, asked = calls, False
        records = await self._records(missing)
        if records is None and not are_overdue:
            return
        for call in missing:
            record = records.get(call.id) if records else None
            if record is None and not asked and datetime.now(UTC) - call.placed_at < GONE_FOR_GOOD:
                continue
            proves = record is None and records is not None and asked
            never_begun = proves and await self._journal.is_kept(self.name, call.placed_at)
            call.settle(record, never_begun=never_begun)

    async def _resume(self, calls: list[AsteriskChannel]) -> list[AsteriskChannel]:
        """Resume the calls that have a channel; return those that have none, and have not ended."""
        channels = await self._look_for([call.id for call in calls])
        alive = [call for call in calls if call.id in channels and not call.over]
        records = await self._records([call for call in alive if not call.answered]) or {}
        for call in alive:
            is_silent = await self._is_silent(channels[call.id])
            call.catch_up(channels[call.id], records.get(call.id), is_silent=is_silent)
            await call.resume()
        return [call for call in calls if call.id not in channels and not call.over]

    async def _records(self, calls: Collection[AsteriskChannel]) -> dict[str, Record] | None:
        """What the journal has of them; None when it cannot be read."""
        if not calls:
            return {}
        return await self._read([call.id for call in calls], min(call.placed_at for call in calls))

    async def _read(self, channel_ids: Collection[str], placed_since: datetime) -> dict[str, Record] | None:
        try:
            return await self._journal.read(channel_ids, placed_since)
        except JournalUnreadable as error:
            _log.error("journal_unreadable", asterisk=self.name, reason=error)
            return None

    async def _look_for(self, channel_ids: Collection[str]) -> dict[str, Event]:
        """The entries in CoreShowChannels of those that Asterisk has, by their ids.

        For a channel that takes commands it may name an application which is over, so the channel itself is asked.
        """
        listed = await self._link.collect("CoreShowChannels")
        found = {entry["Uniqueid"]: entry for entry in listed if entry.get("Uniqueid") in channel_ids}
        for channel_id, entry in found.items():
            if entry["Exten"] == COMMANDS:
                entry["Application"] = await self._value(channel_id, "CHANNEL(appname)")
        return found

    def _watch(self, call: AsteriskChannel) -> None:
        """Look into the call when its end is overdue; a transfer may put that off."""
        loop = asyncio.get_running_loop()
        due = max(call.ends_at, loop.time()) + _OVERDUE_SECONDS
        self._overdue[call.id] = loop.call_at(due, self._look_after, call, due)

    def _look_after(self, call: AsteriskChannel, due: float) -> None:
        if call.ends_at + _OVERDUE_SECONDS <= due:
            self._looking.begin(self._reconcile([call], are_overdue=True))
        self._watch(call)

    def _forget(self, call_id: str) -> None:
        self._calls.pop(call_id, None)
        if overdue := self._overdue.pop(call_id, None):
            overdue.cancel()

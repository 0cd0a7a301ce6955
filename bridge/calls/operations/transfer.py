"""Transfer: the callee is joined with another telephone."""

from __future__ import annotations

from bridge.calls.operations.operation import Operation
from bridge.scripts import events
from bridge.scripts.limits import MAX_TRANSFER
from bridge.scripts.verbs.dial import Dial, TransferEnded
from bridge.speech.phrase import Prompt
from bridge.telephony.events import CallEvent, TransferOrder, TransferOver


class CalleeTransfer(Operation[Dial]):
    """Dials what a ``Dial`` says. Its beginning is stored before, so that nobody is called twice."""

    async def begin(self) -> None:
        trunk, command = self._leg.trunk, self._command
        numbers = [trunk.number_sent(number) for number in command.numbers]
        self._leg.progress.detail.transfer_begins(command, numbers, trunk.caller_id_sent(command.caller_id))
        self._leg.meanwhile(self._prepare(), self._dial)

    async def resume(self) -> None:
        detail = self._leg.progress.detail
        if detail.dialling is None:
            await self.begin()
        else:
            await self._leg.channel.adopt_transfer(detail.joined_at)

    async def take(self, event: CallEvent) -> events.Event | None:
        if not isinstance(event, TransferOver):
            return None
        self._leg.progress.detail.transfer_over(event)
        return TransferEnded(self._command.id, event.result, event.seconds)

    async def _prepare(self) -> Prompt | None:
        await self._leg.save()
        has_warning = self._command.max_seconds is not None and self._command.warning_seconds is not None
        return await self._leg.prompts.beep() if has_warning else None

    async def _dial(self, warning_tone: Prompt | None) -> None:
        detail, command = self._leg.progress.detail, self._command
        await self._leg.channel.transfer(
            TransferOrder(
                numbers=tuple(detail.sent_numbers),
                ring_seconds=command.ring_seconds,
                max_seconds=command.max_seconds or MAX_TRANSFER,
                caller_id=detail.sent_from,
                warning_seconds=command.warning_seconds,
                warning_tone=str(warning_tone.stem) if warning_tone else None,
            )
        )

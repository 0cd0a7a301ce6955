"""What has happened on a call so far: the substance of its CDR."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from bridge.messages.attempt import Collected, Input, Spoken, Transfer
from bridge.scripts import commands
from bridge.scripts.verbs.dial import Dial
from bridge.speech.phrase import Prompt
from bridge.telephony.events import TransferOver


@dataclass(slots=True)
class CallDetail:
    """What has happened on a call so far; times are UTC.

    ``dialling`` is the transfer under way and when it began, ``joined_at`` when it was answered. ``sent_numbers`` and
    ``sent_from`` are what the transfer's trunk was sent; None shows the call's own caller id.
    """

    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    answered_by_reason: str | None = None
    spoken: list[Spoken] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    collected: list[Collected] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    limit_reached: str | None = None
    dialling: tuple[Dial, datetime] | None = None
    joined_at: datetime | None = None
    sent_numbers: list[str] = field(default_factory=list)
    sent_from: str | None = None

    @property
    def rang(self) -> bool:
        """Whether the telephone rang, or was answered at once."""
        return self.ringing_at is not None or self.answered_at is not None

    def note(self, fact: commands.Fact, at: datetime) -> None:
        """Keep what the script found out."""
        match fact:
            case commands.KeysEntered(keys, action, groups):
                self.inputs.append(Input(at, keys, action, list(groups)))
            case commands.VariableCollected(variable, keys, meaning):
                self.collected.append(Collected(variable, keys, meaning))
            case commands.LimitReached(limit):
                self.limit_reached = limit

    def note_spoken(self, prompt: Prompt, at: datetime) -> None:
        """Note that a prompt is played from ``at`` on."""
        self.spoken.append(Spoken(at, prompt.engine, prompt.voice, prompt.sound_seconds, prompt.cached))

    def transfer_begins(self, dial: Dial, sent_numbers: list[str], sent_from: str | None) -> None:
        """Note that the telephones of a transfer are dialled now."""
        self.dialling, self.joined_at = (dial, datetime.now(UTC)), None
        self.sent_numbers, self.sent_from = sent_numbers, sent_from

    def transfer_answered(self, at: datetime) -> None:
        """Note that the transfer was answered: the two hear each other."""
        self.joined_at = at

    def transfer_over(self, over: TransferOver) -> None:
        """Note that the transfer is over: the other side left, or never came."""
        number = None
        if self.dialling and over.number:
            asked_for = dict(zip(self.sent_numbers, self.dialling[0].numbers, strict=False))
            number = asked_for.get(over.number, over.number)
        self._end_transfer(over.result, number, over.seconds)

    def call_over(self, at: datetime) -> None:
        """Note that the callee left, which ends a transfer too."""
        if self.joined_at is None:
            self._end_transfer("no-answer", None, 0.0)
        else:
            self._end_transfer("answered", None, (at - self.joined_at).total_seconds())

    def _end_transfer(self, result: str, number: str | None, seconds: float) -> None:
        if self.dialling is None:
            return
        dial, dialled_at = self.dialling
        if number is None and result == "answered" and len(dial.numbers) == 1:
            number = dial.numbers[0]
        self.transfers.append(
            Transfer(
                list(dial.numbers),
                dialled_at,
                result,
                number,
                self.joined_at,
                seconds,
                self.sent_numbers,
                self.sent_from,
            )
        )
        self.dialling = None

"""What is sent in a trial: messages to telephones of every kind, each to a telephone of its own."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

RING_TIMEOUT = 4
CALL_TIMEOUT = 15
PUSHED = 0.2
FROM_A_FILE = 0.1


@dataclass(frozen=True, slots=True)
class Kind:
    """Telephones that do the same: how their numbers begin, how many in a hundred they are, whether they answer."""

    prefix: str
    share: int
    answers: bool


PRESSES_1 = Kind("9991101", 15, answers=True)  # a second after the answer
KINDS = (
    Kind("99900", 35, answers=True),  # listens
    PRESSES_1,
    Kind("99909", 5, answers=True),  # hangs up after a second
    Kind("999301", 5, answers=True),  # rings for a second
    Kind("99901", 15, answers=False),  # busy
    Kind("99902", 10, answers=False),  # rings without answer
    Kind("99903", 10, answers=False),  # declines
    Kind("99906", 5, answers=False),  # the trunk fails
)


@dataclass(frozen=True, slots=True)
class ToSend:
    """One message: its id, its telephone, whether its report is pushed, and whether it is an audio file."""

    id: str
    number: str
    kind: Kind
    pushed: bool
    from_a_file: bool = False

    @property
    def bulk_id(self) -> str:
        return f"bulk-{self.id}"

    def body(self, retries: int, application: str) -> dict[str, Any]:
        """The request for ``/tts/3/advanced``; ``application`` is the URL of the one who sends it."""
        message: dict[str, Any] = {
            "destinations": [{"to": self.number, "messageId": self.id}],
            "ringTimeout": RING_TIMEOUT,
            "callTimeout": CALL_TIMEOUT,
        }
        if self.from_a_file:
            message["audioFileUrl"] = f"{application}/audio.wav"
        else:
            message["text"] = f"Hello, this is {self.id}."
        if self.kind is PRESSES_1:
            message["actions"] = [{"if": "dtmf", "equals": "1", "actionGroup": "thanks"}]
            message["actionGroups"] = {"thanks": [{"say": "Thanks."}, "hangup"]}
        if retries:
            message["retry"] = {"minPeriod": 1, "maxPeriod": 1, "maxCount": retries}
        if self.pushed:
            message["notifyUrl"] = f"{application}/report"
        return {"bulkId": self.bulk_id, "messages": [message]}


def messages(count: int, random: Random, series: int) -> list[ToSend]:
    """That many messages in random order; no two of ten ``series`` share an id or a telephone."""
    kinds = random.choices(KINDS, [kind.share for kind in KINDS], k=count)
    return [
        ToSend(
            f"message-{series}-{index}",
            _number(kind, series, index),
            kind,
            pushed=random.random() < PUSHED,
            from_a_file=random.random() < FROM_A_FILE,
        )
        for index, kind in enumerate(kinds)
    ]


def _number(kind: Kind, series: int, index: int) -> str:
    """Digits that tell telephones apart; 99 ends the keys of one that presses some."""
    end_of_keys = "99" if kind is PRESSES_1 else ""
    return f"{kind.prefix}{end_of_keys}{series}{index:05}"

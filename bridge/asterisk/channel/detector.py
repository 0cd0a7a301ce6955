"""Answering machine detection: the parameters of Asterisk's AMD(), and what its verdict means.

Times are milliseconds where nothing else stands.
"""

from __future__ import annotations

from datetime import datetime

from bridge.telephony.events import Detected

INITIAL_SILENCE = 2500
"""When nobody has said anything for so long, the message is spoken, whoever it is."""
GREETING = 1500
"""Who speaks longer without a pause is a machine."""
PAUSE_AFTER_GREETING = 800
"""Who stops speaking for so long before that is a human who waits for an answer."""
LONGEST = 5000
SHORTEST_WORD = 100
BETWEEN_WORDS = 50
MOST_WORDS = 3
"""Who says more words is a machine."""
SILENCE_THRESHOLD = 256
"""The level, of 32,767, below which nothing is heard."""

GREETING_OVER = 2000
"""A machine that has been silent for so long has greeted and beeped; between its sentences it pauses less."""
LONGEST_GREETING = 55
"""Seconds; a machine that speaks longer is not waited for."""

OPEN = 'EXEC PlayTones "!0/200"'
"""A few packets of silence: networks may wait for our RTP. With more of them AMD() would count its time twice."""
DETECT = (
    f'EXEC AMD "{INITIAL_SILENCE},{GREETING},{PAUSE_AFTER_GREETING},{LONGEST},'
    f'{SHORTEST_WORD},{BETWEEN_WORDS},{MOST_WORDS},{SILENCE_THRESHOLD}"'
)
VERDICT = 'GET FULL VARIABLE "${AMDSTATUS}:${AMDCAUSE}"'
COMMANDS = (OPEN, DETECT, VERDICT)
AWAIT_SILENCE = f'EXEC WaitForSilence "{GREETING_OVER},1,{LONGEST_GREETING}"'


def detected(at: datetime, verdict: str) -> Detected:
    """What the answer to ``VERDICT`` means. A callee who says nothing is a machine to AMD(), and ``unknown`` here."""
    status, _, cause = verdict.partition(":")
    if status == "MACHINE" and not cause.startswith("INITIALSILENCE"):
        return Detected(at, "machine", cause)
    return Detected(at, "human" if status == "HUMAN" else "unknown", cause)

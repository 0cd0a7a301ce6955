"""Limits of scripts: sizes, counts, and times in seconds."""

from __future__ import annotations

MAX_VERBS = 1_000
"""Verbs in one script, nested ones counted."""
MAX_DEPTH = 16
"""Verb lists inside verb lists."""
MAX_PROBLEMS = 100
"""Problems reported for one script; the compiler gives up there."""
MAX_ACTIONS = 100
MAX_ACTION_ID = 2**31
MAX_TEXT = 1_400
"""Characters of one text to be spoken."""
MAX_EXPRESSION = 500
"""Characters of one text with ``${...}`` that is not spoken."""
MAX_EXPRESSION_DEPTH = 30
MAX_EXPRESSION_TERMS = 100
MAX_VALUE = 2_000
"""Characters of a variable's value; what is longer is cut."""
MAX_VARIABLES = 500

MAX_STEPS_RUN = 3_000
"""Steps of one call, so that no script holds a processor."""
MAX_PASSES = 100
"""Passes through one loop or one ``goTo`` without a limit of its own."""
MAX_ROUNDS = 20
"""Inputs of one call that actions may answer."""
MAX_REPEATS = 5
"""Times ``repeatDtmf`` plays the message again."""

KEY_GAP = 3.0
"""Seconds between two keys of one input."""
DETECTOR_WAIT = 10.0
GREETING_WAIT = 60.0
RESPONSE_WAIT = 5.0
MAX_RECORDING = 3_600
"""Seconds of a recording that was asked for without a length."""
RING_TIME = 30
"""Seconds that a transfer rings when it does not say how long."""
MAX_KEYS = 255
"""Keys of one input."""
MAX_TRANSFER = 86_400
"""Seconds of one transfer."""
MAX_DIALLED = 20
"""Numbers that one transfer tries."""
MAX_REQUESTS = 100
"""HTTP requests of one call."""
MAX_KEYS_AHEAD = 255
"""Keys that wait for a listener; more are dropped."""
CLOCK_SLACK = 0.05
"""Seconds that a timer may be early."""

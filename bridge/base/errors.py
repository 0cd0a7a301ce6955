"""The base class of every error that a caller, an operator or an application can be told about."""

from __future__ import annotations

from typing import ClassVar


class VoicebridgeError(Exception):
    """Something a caller, an operator or an application can be told about.

    Each subclass has a stable ``id`` (upper case words, listed in ``docs/reference/errors.md``); the message says what
    was wrong and where. A command that ends with it has the exit status ``exit_status``. One that ``quotes_callers``
    repeats what was sent, to who sent it: the log has its id alone.
    """

    id: ClassVar[str] = "GENERAL_ERROR"
    exit_status: ClassVar[int] = 1
    quotes_callers: ClassVar[bool] = False


WRONG_SETTINGS = 2
"""The exit status of a command that cannot work before somebody has changed a setting."""

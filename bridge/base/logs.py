"""Logs: lines on standard error, in JSON unless that is a terminal.

What callers sent stays out of them. It could come in by the texts of exceptions, which quote it; so a log call passes
the exception itself (``reason=error``, or ``log.exception``), and this module alone decides what the line says of it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
import threading
from collections.abc import MutableMapping
from contextlib import suppress
from traceback import walk_tb
from types import TracebackType
from typing import Any

import structlog

from bridge.base.errors import VoicebridgeError

_log = structlog.get_logger(__name__)


def configure_logs(level: str) -> None:
    """Send structlog's events, and what libraries log, to standard error from ``level`` (``info``, ...) on."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(handlers=[_FromLibraries()], level=max(number, logging.WARNING), force=True)
    sys.excepthook = _crashed
    threading.excepthook = lambda crash: _crashed(crash.exc_type, crash.exc_value, crash.exc_traceback)
    sys.unraisablehook = lambda lost: _crashed(lost.exc_type, lost.exc_value, lost.exc_traceback)
    pretty = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_what_may_be_said,
            structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _LossyLogger(sys.stderr),
    )


def log_what_nobody_awaits(loop: asyncio.AbstractEventLoop) -> None:
    """Log the exceptions on the event loop that nothing awaits."""
    loop.set_exception_handler(_lost_on_the_loop)


def only_what_may_be_said(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: of an exception the line has what `said_of` says, and where in the code it arose."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = said_of(error)
        event["where"] = _where(error)
    for name, value in event.items():
        if isinstance(value, BaseException):
            event[name] = said_of(value)
    return event


def said_of(error: BaseException) -> str:
    """What the log may say of an exception: the words of our own errors, unless they quote a caller, else the type."""
    if isinstance(error, VoicebridgeError):
        return error.id if error.quotes_callers else str(error) or error.id
    if isinstance(error, OSError) and error.errno is not None:
        return f"{type(error).__name__}: {os.strerror(error.errno)}"
    return type(error).__name__


class _FromLibraries(logging.Handler):
    """What libraries log: the logger's name, and its format string without the arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        said = record.msg if isinstance(record.msg, str) and record.args else None
        getattr(_log, level)("library", logger=record.name, said=said, exc_info=record.exc_info or None)


class _LossyLogger(structlog.WriteLogger):
    """Drops lines that cannot be written: a full disk must not fail a call over its log."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    debug = info = warning = error = critical = exception = msg


def _crashed(_type: type[BaseException], error: BaseException | None, _where: TracebackType | None) -> None:
    _log.critical("crashed", exc_info=error)


def _lost_on_the_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    task = context.get("task") or context.get("future")
    coroutine = task.get_coro() if isinstance(task, asyncio.Task) else None
    words = re.match(r"[\w ]+", context["message"])  # what follows quotes the arguments of a callback
    _log.error(
        "lost_on_the_loop",
        said=words and words[0],
        work=getattr(coroutine, "__qualname__", None),
        exc_info=context.get("exception"),
    )


def _where(error: BaseException) -> str:
    """Where in the code an error arose, innermost frame first, and likewise the errors that it came from."""
    places = []
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        frames = [
            f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in walk_tb(at.__traceback__)
        ]
        places.append(" < ".join([type(at).__name__, *reversed(frames)]))
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return "; from ".join(places)

"""Logs: lines on standard error, JSON unless somebody is watching."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

import structlog


def configure_logs(level: str) -> None:
    """Send structlog's events, and what libraries log, to standard error from ``level`` (``info``, ...) on."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(stream=sys.stderr, level=max(number, logging.WARNING), format="%(message)s")
    pretty = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _LossyLogger(sys.stderr),
    )


class _LossyLogger(structlog.WriteLogger):
    """Its lines get lost when they cannot be written: a full disk must not fail a call over its log."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    debug = info = warning = error = critical = exception = msg

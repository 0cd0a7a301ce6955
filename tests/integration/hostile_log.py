"""A program that logs exceptions which quote its argument, a private text that must not get into the log."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import sys
import threading
from collections.abc import Callable

import aiohttp
import structlog
from psycopg.errors import UniqueViolation
from pydantic import TypeAdapter
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from bridge.base.logs import configure_logs, log_what_nobody_awaits
from bridge.scripts import compile_scenario
from bridge.speech.errors import VoiceUnknownError
from bridge.store.errors import failed

PRIVATE = sys.argv[1]
_log = structlog.get_logger(__name__)


def quote_value() -> None:
    TypeAdapter(int).validate_python(PRIVATE)


def quote_key() -> None:
    {}[PRIVATE]  # type: ignore[index]


def quote_document() -> None:
    json.loads(f"{{{PRIVATE}")


def quote_file() -> None:
    open(f"/nowhere/{PRIVATE}")  # noqa: SIM115, PTH123


def quote_parameters() -> None:
    with create_engine("sqlite://").connect() as connection:
        connection.execute(text("SELECT :value FROM nowhere"), {"value": PRIVATE})


def quote_script() -> None:
    compile_scenario([{PRIVATE: PRIVATE}])


def quote_voice() -> None:
    raise VoiceUnknownError(f"no voice {PRIVATE}")


def quote_bytes() -> None:
    f"{PRIVATE}\ud800".encode()


def quote_in_cause() -> None:
    try:
        quote_key()
    except KeyError as error:
        raise RuntimeError(f"with {PRIVATE}") from error


def quote_in_group() -> None:
    raise ExceptionGroup(PRIVATE, [ValueError(PRIVATE)])


def quote_url() -> None:
    raise aiohttp.InvalidURL(f"http://{PRIVATE}")


def quote_row() -> None:
    raise UniqueViolation(f"DETAIL: Key (id)=({PRIVATE}) already exists.")


QUOTING: list[Callable[[], None]] = [
    quote_value, quote_key, quote_document, quote_file, quote_parameters, quote_script, quote_voice, quote_bytes,
    quote_in_cause, quote_in_group, quote_url, quote_row,
]  # fmt: skip


async def main() -> None:
    configure_logs("debug")
    loop = asyncio.get_running_loop()
    log_what_nobody_awaits(loop)
    for quote in QUOTING:
        try:
            quote()
        except Exception as error:
            _log.exception("by_itself")
            _log.error("as_a_reason", reason=error)
            _log.error("as_a_tuple", exc_info=sys.exc_info())
            logging.getLogger("aiohttp.server").exception("Error handling request from %s", PRIVATE)
            logging.getLogger("panoramisk").warning(f"got {PRIVATE}")
            logging.getLogger("sqlalchemy.pool").warning("it is %r", error, exc_info=error)
        threading.Thread(target=quote, name=PRIVATE).start()
        loop.call_soon(functools.partial(_fail, quote), PRIVATE)
        asyncio.create_task(_fail_later(quote), name=PRIVATE)  # noqa: RUF006 - lost on purpose
    _log.error("refused", reason=failed(IntegrityError(PRIVATE, {}, UniqueViolation(f"Key (id)=({PRIVATE})"))))
    await asyncio.sleep(0.1)
    raise RuntimeError(PRIVATE)


def _fail(quote: Callable[[], None], _private: str) -> None:
    quote()


async def _fail_later(quote: Callable[[], None]) -> None:
    quote()


asyncio.run(main())

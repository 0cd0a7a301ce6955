"""Steps into what is really played, dialled and sent, with the variables as they stand. No value is trusted."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from bridge.scripts import limits
from bridge.scripts.commands import Audio, Dial, Prompt, Request, Say, StartRecord, Tty
from bridge.scripts.language.expressions import Variables
from bridge.scripts.language.forms import CONTROL, can_be_spoken, split_numbers, url_problem
from bridge.scripts.language.templates import Template
from bridge.scripts.steps import DialStep, RecordStep, RequestStep, Several, Source, render
from bridge.telephony.numbers import parse_number, parse_sender


def prompt(source: Source, variables: Variables) -> Prompt | None:
    """The prompt, or None when there is nothing to be heard."""
    wanted = render(source, variables)
    match wanted:
        case Say(text) | Tty(text):
            spoken = text[: limits.MAX_TEXT]
            return replace(wanted, text=spoken) if can_be_spoken(spoken) else None
        case Audio(url) if url_problem(url):
            return None
        case _:
            return wanted


def turns(step: DialStep, variables: Variables) -> list[tuple[str, ...]]:
    """The numbers to dial, turn by turn, each once; those that are none are left out."""
    every = (number for wanted in step.numbers for number in _digits(wanted, variables))
    numbers = tuple(dict.fromkeys(every))[: limits.MAX_DIALLED]
    return [numbers] if step.at_once and numbers else [(number,) for number in numbers]


def dial(number: int, step: DialStep, numbers: tuple[str, ...], variables: Variables) -> Dial:
    """The call to one turn's numbers; a caller id that is none gives way to the call's own."""
    return Dial(
        id=number,
        numbers=numbers,
        caller_id=None if step.caller_id is None else _caller_id(step.caller_id, variables),
        ring_seconds=step.ring_seconds,
        max_seconds=step.max_seconds,
        warning_seconds=step.warning_seconds,
    )


def recording(number: int, step: RecordStep, variables: Variables) -> StartRecord:
    """The recording, with its identifier when it has one."""
    return StartRecord(
        id=number,
        max_seconds=step.max_seconds,
        max_silence=step.max_silence,
        beep=step.beep,
        stop_keys=step.stop_keys,
        identifier=None if step.identifier is None else step.identifier.render(variables),
        pointer=step.pointer,
    )


def request(number: int, step: RequestStep, variables: Variables) -> Request | None:
    """The request, or None when its URL is none. What stands in a URL that begins with fixed text is encoded."""
    url = step.url.render(variables, _encoded if step.url.start else str)
    if url_problem(url):
        return None
    return Request(
        id=number,
        url=url,
        method=step.method,
        headers=tuple((name, CONTROL.sub(" ", value.render(variables))) for name, value in step.headers),
        body=None if step.body is None else step.body.render(variables),
        awaited=step.collects,
    )


def masked(keys: str) -> str:
    """As many stars as there are keys."""
    return "*" * len(keys)


def _digits(wanted: Template | Several, variables: Variables) -> list[str]:
    try:
        if isinstance(wanted, Several):
            return split_numbers(wanted.numbers.render(variables))
        return [parse_number(wanted.render(variables))]
    except ValueError:
        return []


def _caller_id(template: Template, variables: Variables) -> str | None:
    try:
        return parse_sender(template.render(variables))
    except ValueError:
        return None


def _encoded(value: str) -> str:
    return quote(value, safe="")

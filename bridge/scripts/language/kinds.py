"""Kinds of members that verbs have, such as numbers and templates: declared once, to be read and to be documented."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bridge.scripts import limits
from bridge.scripts.language.expressions import Expression
from bridge.scripts.language.members import MemberReader
from bridge.scripts.language.templates import Template

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """A kind of value: what the documentation calls it, and how it is read (None when it is missing or wrong)."""

    text: str
    read: Callable[[MemberReader, str], T_co | None]


@dataclass(frozen=True, slots=True)
class Member(Generic[T_co]):
    """A member of a verb. Its ``path`` has dots where it stands in an object; its meaning is Markdown."""

    path: str
    kind: Kind[T_co]
    default: T_co
    meaning: str = ""
    is_required: bool = False

    def read(self, verb: MemberReader) -> T_co:
        """The value; the default when it is missing, or wrong and noted."""
        *parents, name = self.path.split(".")
        for parent in parents:
            verb = verb.members(parent)
        if self.is_required:
            verb.required(name)
        value = self.kind.read(verb, name)
        return self.default if value is None else value


def whole(low: int, high: int, unit: str = "") -> Kind[int]:
    """A whole number from ``low`` to ``high``."""
    return Kind(f"whole number, {_range(low, high, unit)}", lambda verb, name: verb.integer(name, low, high))


def number(low: float, high: float, unit: str = "") -> Kind[float]:
    """A number from ``low`` to ``high``."""
    return Kind(f"number, {_range(low, high, unit)}", lambda verb, name: verb.number(name, low, high))


def template(longest: int = limits.MAX_EXPRESSION) -> Kind[Template]:
    """A text that may contain ``${...}``."""
    return Kind(f"text, at most {longest:,} characters", lambda verb, name: verb.template(name, longest))


def one_of(words: Sequence[str]) -> Kind[str]:
    """One of ``words``, written in any case."""
    return Kind(", ".join(f"`{word}`" for word in words), lambda verb, name: verb.one_of(name, words))


FLAG: Kind[bool] = Kind("true or false", MemberReader.flag)
TEXT: Kind[str] = Kind("text", MemberReader.text)
VARIABLE: Kind[str] = Kind("name of a variable", MemberReader.variable)
CONDITION: Kind[Expression] = Kind("expression", MemberReader.condition)
TELEPHONE: Kind[Template] = Kind("telephone number", MemberReader.telephone)
SENDER: Kind[Template] = Kind("caller id, 3 to 15 digits", MemberReader.sender)
URL: Kind[Template] = Kind("http or https URL", MemberReader.url)


def read_by_its_verb(text: str) -> Kind[Any]:
    """A value that only its verb can read: a list of verbs, a choice of types."""
    return Kind(text, lambda verb, name: verb.value.get(name))


VERBS = read_by_its_verb("list of verbs")


def _range(low: float, high: float, unit: str) -> str:
    return f"{low:,} to {high:,} {unit}".rstrip()

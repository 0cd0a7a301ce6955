"""Reader of JSON objects: members with their types and limits; what is wrong is noted under the member's path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from bridge.base.urls import url_problem
from bridge.scripts import limits
from bridge.scripts.language.checks import KEYS
from bridge.scripts.language.expressions import NAME, Expression
from bridge.scripts.language.parsing import ExpressionError, parse_expression
from bridge.scripts.language.problems import Problems
from bridge.scripts.language.templates import Template, fixed, parse_template
from bridge.telephony.numbers import parse_number, parse_sender


class MemberReader:
    """One JSON object. A member that is missing or null gives the default; so does one that is wrong, once noted."""

    def __init__(self, value: Mapping[str, Any], path: str, problems: Problems) -> None:
        self.value = value
        self.path = path
        self.problems = problems

    def path_of(self, name: str) -> str:
        """The JSON path of a member."""
        return f"{self.path}.{name}" if self.path else name

    def refuse(self, name: str, text: str) -> None:
        """Notes a problem of a member."""
        self.problems.add(self.path_of(name), text)

    def has(self, name: str) -> bool:
        """Whether the member is there and not null."""
        return self.value.get(name) is not None

    def required(self, name: str) -> None:
        """Notes when the member is missing."""
        if not self.has(name):
            self.refuse(name, "is missing")

    def text(self, name: str) -> str | None:
        """A text."""
        value = self.value.get(name)
        if value is None or isinstance(value, str):
            return value
        self.refuse(name, "must be a string")
        return None

    def integer(self, name: str, low: int, high: int) -> int | None:
        """A whole number from ``low`` to ``high``."""
        value = self.number(name, low, high)
        if value is None or value == int(value):
            return None if value is None else int(value)
        self.refuse(name, "must be a whole number")
        return None

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number from ``low`` to ``high``."""
        value = self.value.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(name, "must be a number")
        elif not low <= value <= high:
            self.refuse(name, f"must be from {low} to {high}")
        else:
            return value
        return None

    def flag(self, name: str) -> bool:
        """True or false; false when missing."""
        value = self.value.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.refuse(name, "must be true or false")
        return False

    def one_of(self, name: str, words: Collection[str]) -> str | None:
        """One of ``words``, written in any case."""
        value = self.text(name)
        if value is None:
            return None
        for word in words:
            if word.lower() == value.strip().lower():
                return word
        self.refuse(name, f"must be one of {', '.join(words)}")
        return None

    def members(self, name: str) -> MemberReader:
        """An object; empty when missing."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, Mapping):
            self.refuse(name, "must be an object")
            value = None
        return MemberReader(value or {}, self.path_of(name), self.problems)

    def items(self, name: str) -> list[Any]:
        """A list; empty when missing."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, list):
            self.refuse(name, "must be a list")
            value = None
        return value or []

    def variable(self, name: str) -> str | None:
        """The name of a variable."""
        value = self.text(name)
        if value is None or NAME.fullmatch(value):
            return value
        self.refuse(name, "must be the name of a variable: letters, digits and _, not a digit first")
        return None

    def template(self, name: str, longest: int = limits.MAX_EXPRESSION) -> Template | None:
        """A text that may contain ``${...}``."""
        value = self.text(name)
        if value is None:
            return None
        if len(value) > longest:
            self.refuse(name, f"is longer than {longest} characters")
            return None
        try:
            return parse_template(value)
        except ExpressionError as error:
            self.refuse(name, str(error))
            return None

    def condition(self, name: str) -> Expression | None:
        """An expression."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return parse_expression(value)
        except ExpressionError as error:
            self.refuse(name, str(error))
            return None

    def keys(self, name: str) -> str | None:
        """Keys of a telephone; a ``#`` at the end, which only ends the input, is dropped."""
        value = self.text(name)
        if value is None:
            return None
        keys = value.strip().upper().removesuffix("#")
        if KEYS.fullmatch(keys):
            return keys
        self.refuse(name, "must be keys: 0-9, * and A-D; # ends an input and cannot be collected")
        return None

    def telephone(self, name: str) -> Template | None:
        """A telephone number to call, or an expression that gives one."""
        return self._digits(name, parse_number)

    def sender(self, name: str) -> Template | None:
        """A caller id of digits, or an expression that gives one."""
        return self._digits(name, parse_sender)

    def _digits(self, name: str, parse: Callable[[str], str]) -> Template | None:
        template = self.template(name)
        if template is None or not template.is_fixed:
            return template
        try:
            return fixed(parse(template.render({})))
        except ValueError as error:
            self.refuse(name, str(error))
            return None

    def url(self, name: str) -> Template | None:
        """An http or https URL, as far as it is known before the call."""
        template = self.template(name, limits.MAX_VALUE)
        if template is not None and (template.start or template.is_fixed):
            known = template.render({}) if template.is_fixed else template.start
            problem = url_problem(known, is_whole=template.is_fixed)
            if problem:
                self.refuse(name, problem)
        return template

"""Templates: texts with ``${...}`` in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bridge.scripts.language.expressions import (
    Expression,
    Literal,
    Value,
    Variables,
    as_text,
    evaluate,
    names_in,
)
from bridge.scripts.language.parsing import parse_embedded


@dataclass(frozen=True, slots=True)
class Template:
    """A text of fixed parts and of expressions, which are evaluated when the text is needed."""

    parts: tuple[str | Expression, ...]

    @property
    def names(self) -> frozenset[str]:
        """The variables that shape the text; none when it is fixed."""
        return frozenset(name for part in self.parts if not isinstance(part, str) for name in names_in(part))

    @property
    def is_fixed(self) -> bool:
        """Whether no part of the text is computed."""
        return all(isinstance(part, str) for part in self.parts)

    @property
    def start(self) -> str:
        """The fixed text before the first computed part."""
        return self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""

    def render(self, variables: Variables, encode: Callable[[str], str] = str) -> str:
        """The text, each computed part passed through ``encode``."""
        return "".join(
            part if isinstance(part, str) else encode(as_text(evaluate(part, variables))) for part in self.parts
        )

    def known(self, variables: Variables, is_known: Callable[[Iterable[str]], bool]) -> str:
        """The text as it is rendered, with a space for each part that reads variables which are not known."""
        return "".join(
            part if isinstance(part, str) else as_text(evaluate(part, variables)) if is_known(names_in(part)) else " "
            for part in self.parts
        )

    def value(self, variables: Variables) -> Value:
        """The value, which keeps its type when the text is one single expression."""
        match self.parts:
            case (part,) if not isinstance(part, str):
                return evaluate(part, variables)
            case _:
                return self.render(variables)


def fixed(text: str) -> Template:
    """A text that is taken as it is, ``${`` included."""
    return Template((text,))


def constant(value: Value) -> Template:
    """A value that is not a text."""
    return Template((Literal(value),))


def parse_template(text: str) -> Template:
    """Parses a text with any number of ``${...}``. Raises ExpressionError."""
    parts: list[str | Expression] = []
    at = 0
    while (opening := text.find("${", at)) >= 0:
        if opening > at:
            parts.append(text[at:opening])
        expression, at = parse_embedded(text, opening)
        parts.append(expression)
    if at < len(text):
        parts.append(text[at:])
    return Template(tuple(parts))

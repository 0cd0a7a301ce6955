"""Parser of expressions, the small language inside ``${...}``.

A name stands for a variable; one that was never set is empty. Texts stand in single or double quotes. Operators, from
the loosest to the tightest: ``||``, ``&&``, ``== !=``, ``< <= > >=``, ``+ -``, ``* / %``, ``! -``. ``${...}`` inside an
expression is a pair of parentheses, so that ``${a} == '1'`` and ``${a == '1'}`` mean the same.
"""

from __future__ import annotations

import re

from bridge.scripts import limits
from bridge.scripts.language.expressions import Binary, Expression, Literal, Name, Unary, Value

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d{1,30}(?:\.\d{1,30})?)
      | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<mark>\$\{|==|!=|<=|>=|&&|\|\||[<>!+\-*/%()}])
      | (?P<end>$)
    )""",
    re.ASCII | re.VERBOSE,
)
_TIGHTNESS = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4} | {
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}
_CLOSING = {"(": ")", "${": "}"}


class ExpressionError(ValueError):
    """An expression that cannot be understood; the text says where and why."""


def parse_expression(text: str) -> Expression:
    """Parses a whole expression, such as ``${a == '1' || b > 2}``. Raises ExpressionError."""
    if len(text) > limits.MAX_EXPRESSION:
        raise ExpressionError(f"is longer than {limits.MAX_EXPRESSION} characters")
    parser = _Parser(text, 0)
    expression = parser.expression(0)
    parser.expect("")
    return expression


def parse_embedded(text: str, at: int) -> tuple[Expression, int]:
    """Parses the ``${...}`` that begins at ``at``; returns it and the position after it. Raises ExpressionError."""
    parser = _Parser(text, at)
    parser.expect("${")
    expression = parser.expression(0)
    return expression, parser.close("}")


class _Parser:
    """Precedence climbing over one text."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._end = at
        self._depth = 0
        self._terms = 0
        self._advance()

    def _advance(self) -> None:
        found = _TOKEN.match(self._text, self._end)
        if found is None:
            rest = self._text[self._end :].lstrip()
            raise ExpressionError(f"has {rest[:10]!r} where it cannot stand")
        self._kind = found.lastgroup
        self._lexeme = found.group(found.lastgroup or 0)
        self._end = found.end()

    def _shown(self) -> str:
        return repr(self._lexeme) if self._lexeme else "the end"

    def expect(self, lexeme: str) -> None:
        if self._lexeme != lexeme or self._kind == "text":
            wanted = repr(lexeme) if lexeme else "the end"
            raise ExpressionError(f"has {self._shown()} where {wanted} was expected")
        if lexeme:
            self._advance()

    def close(self, lexeme: str) -> int:
        """Checks the closing lexeme and reads no further, since plain text follows; returns where that begins."""
        if self._lexeme != lexeme or self._kind == "text":
            raise ExpressionError(f"has {self._shown()} where {lexeme!r} was expected")
        return self._end

    def expression(self, tightness: int) -> Expression:
        self._depth += 1
        if self._depth > limits.MAX_EXPRESSION_DEPTH:
            raise ExpressionError("is nested too deep")
        left = self._operand()
        while self._kind == "mark" and _TIGHTNESS.get(self._lexeme, 0) > tightness:
            operator = self._lexeme
            self._advance()
            left = Binary(operator, left, self.expression(_TIGHTNESS[operator]))
        self._depth -= 1
        return left

    def _operand(self) -> Expression:
        kind, lexeme = self._kind, self._lexeme
        self._terms += 1
        if self._terms > limits.MAX_EXPRESSION_TERMS:
            raise ExpressionError(f"has more than {limits.MAX_EXPRESSION_TERMS} terms")
        if kind == "end" or lexeme == "}":
            raise ExpressionError(f"has {self._shown()} where a value was expected")
        self._advance()
        match kind:
            case "number":
                return Literal(float(lexeme))
            case "text":
                return Literal(re.sub(r"\\(.)", r"\1", lexeme[1:-1]))
            case "name":
                return Literal(_WORDS[lexeme]) if lexeme in _WORDS else Name(lexeme)
        if lexeme in _CLOSING:
            inner = self.expression(0)
            self.expect(_CLOSING[lexeme])
            return inner
        if lexeme in ("!", "-"):
            return Unary(lexeme, self.expression(_TIGHTNESS["*"]))
        raise ExpressionError(f"has {lexeme!r} where a value was expected")

"""Expressions inside ``${...}``, and their values: variables, literals, comparison, logic and arithmetic.

Two texts compare as texts, so that ``'01'`` is not ``'1'``; a number compares with a text that looks like one as
numbers. An arithmetic operation that has no result (a text that is no number, a division by zero) gives an empty value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bridge.scripts import limits

Value = str | float | bool | None
Variables = Mapping[str, Value]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)

_NUMBER = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?", re.ASCII)
_LARGEST_WHOLE = 1e15
_LARGEST = 1e300


@dataclass(frozen=True, slots=True)
class Literal:
    value: Value


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Expression
    right: Expression


Expression = Literal | Name | Unary | Binary


def names_in(expression: Expression) -> Iterator[str]:
    """Every variable that the expression reads."""
    match expression:
        case Name(name):
            yield name
        case Unary(_, operand):
            yield from names_in(operand)
        case Binary(_, left, right):
            yield from names_in(left)
            yield from names_in(right)


def evaluate(expression: Expression, variables: Variables) -> Value:
    """The value of the expression; never raises."""
    match expression:
        case Literal(value):
            return value
        case Name(name):
            return variables.get(name)
        case Unary(operator, operand):
            value = evaluate(operand, variables)
            return not is_true(value) if operator == "!" else _arithmetic("-", 0.0, value)
        case Binary(operator, left, right):
            return _combine(operator, evaluate(left, variables), evaluate(right, variables))


def is_true(value: Value) -> bool:
    """Empty values, zero and the text ``false`` are false; everything else is true, the key ``'0'`` too."""
    return value not in (None, "", "false", False, 0.0)


def as_text(value: Value) -> str:
    """The value as it is spoken, sent and compared: whole numbers without a point, booleans in lower case."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.0f}" if value.is_integer() and abs(value) < _LARGEST_WHOLE else f"{value:.10g}"
        case str():
            return value


def as_value(value: object) -> Value:
    """A JSON value as a variable holds it; lists and objects are empty."""
    match value:
        case bool():
            return value
        case str():
            return value[: limits.MAX_VALUE]
        case int() | float() if abs(value) < _LARGEST:
            return float(value)
        case _:
            return None


def _combine(operator: str, left: Value, right: Value) -> Value:
    match operator:
        case "||":
            return is_true(left) or is_true(right)
        case "&&":
            return is_true(left) and is_true(right)
        case "==" | "!=":
            return _equal(left, right) == (operator == "==")
        case "<" | "<=" | ">" | ">=":
            return _ordered(operator, left, right)
        case "+" if not _numeric(left, right):
            return (as_text(left) + as_text(right))[: limits.MAX_VALUE]
        case _:
            return _arithmetic(operator, left, right)


def _numeric(left: Value, right: Value) -> bool:
    one_is_a_number = isinstance(left, float) or isinstance(right, float)
    return one_is_a_number and _as_number(left) is not None and _as_number(right) is not None


def _equal(left: Value, right: Value) -> bool:
    if _numeric(left, right):
        return _as_number(left) == _as_number(right)
    return as_text(left) == as_text(right)


def _ordered(operator: str, left: Value, right: Value) -> bool:
    a, b = _as_number(left), _as_number(right)
    if a is None or b is None:
        return False
    match operator:
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
        case _:
            return a >= b


def _arithmetic(operator: str, left: Value, right: Value) -> Value:
    a, b = _as_number(left), _as_number(right)
    if a is None or b is None or (operator in "/%" and b == 0):
        return None
    match operator:
        case "+":
            result = a + b
        case "-":
            result = a - b
        case "*":
            result = a * b
        case "/":
            result = a / b
        case _:
            result = math.fmod(a, b)
    return result if math.isfinite(result) else None


def _as_number(value: Value) -> float | None:
    if isinstance(value, float):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return None

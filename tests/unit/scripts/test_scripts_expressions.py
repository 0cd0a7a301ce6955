"""The language inside ``${...}``."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.scripts.language.expressions import (
    Binary,
    Expression,
    Literal,
    Name,
    Unary,
    Value,
    as_text,
    evaluate,
    is_true,
)
from bridge.scripts.language.parsing import ExpressionError, parse_expression
from bridge.scripts.language.templates import parse_template

VARIABLES: dict[str, Value] = {"a": "1", "pin": "0123", "n": 3.0, "yes": True, "empty": "", "name": "Ana"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${a == '1' || b > 2 && !c}", True),
        ("${a == '2' || b > 2 && !c}", False),
        ("${a} == '1'", True),
        ('a != "1"', False),
        ("pin == '123'", False),
        ("pin == 123", True),
        ("n >= 3 && n < 4", True),
        ("n + 1", 4.0),
        ("a + 1", 2.0),
        ("a + a", "11"),
        ("'x' + n", "x3"),
        ("2 + 3 * 4 - 6 / 2", 11.0),
        ("(2 + 3) * 4 % 7", 6.0),
        ("8 - 3 - 2", 3.0),
        ("-n + -1", -4.0),
        ("n / 0", None),
        ("name * 2", None),
        ("name < 5", False),
        ("missing", None),
        ("missing == ''", True),
        ("missing == null", True),
        ("yes == true", True),
        ("!yes || false", False),
        (r"'it\'s'", "it's"),
        ("1 == 1 == true", True),
    ],
)
def test_an_expression_has_its_value(text: str, value: Value) -> None:
    assert evaluate(parse_expression(text), VARIABLES) == value


@pytest.mark.parametrize(
    "text",
    ["", "${", "${}", "a ==", "== a", "a b", "(a", "a)", "'open", "a = 1", "a & b", "a.b", "1x", "${a} }", "a; b", "é"],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_expression(text)


@pytest.mark.parametrize("text", ["(" * 200 + "1" + ")" * 200, "!" * 300 + "a", "1" + "+1" * 200, "a" * 501])
def test_an_endless_expression_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"deep|terms|longer"):
        parse_expression(text)


def test_a_zero_that_was_pressed_is_true_and_a_zero_that_was_counted_is_not() -> None:
    assert is_true("0")
    assert not is_true(0.0)


def test_a_text_takes_its_variables() -> None:
    template = parse_template("Dear ${name}, your ${n + 1} items cost ${missing}5 { $ }")
    assert template.render(VARIABLES) == "Dear Ana, your 4 items cost 5 { $ }"
    assert template.names == {"name", "n", "missing"}


def test_a_brace_in_a_quoted_text_does_not_end_the_expression() -> None:
    assert parse_template("${'}' + a}!").render(VARIABLES) == "}1!"


def test_a_single_expression_keeps_its_type() -> None:
    assert parse_template("${n + 1}").value(VARIABLES) == 4.0
    assert parse_template("${n + 1} ").value(VARIABLES) == "4 "


operators = st.sampled_from(["||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"])
expressions: st.SearchStrategy[Expression] = st.recursive(
    st.builds(Name, st.sampled_from(["a", "b", "n"]))
    | st.builds(Literal, st.floats(0, 1e6).map(lambda number: round(number, 3)))
    | st.builds(Literal, st.text(st.characters(codec="ascii"), max_size=5)),
    lambda inner: (
        st.builds(Unary, st.sampled_from("!-"), inner)
        | st.builds(
            Binary,
            st.sampled_from(["||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"]),
            inner,
            inner,
        )
    ),
    max_leaves=15,
)
values = st.none() | st.booleans() | st.text(max_size=5) | st.floats(-1e9, 1e9) | st.sampled_from(["1", "07", "-2.5"])


def written(expression: Expression) -> str:
    match expression:
        case Literal(str(text)):
            return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
        case Literal(value):
            return f"{value:f}"
        case Name(name):
            return name
        case Unary(operator, operand):
            return f"{operator}({written(operand)})"
        case Binary(operator, left, right):
            return f"({written(left)}){operator}({written(right)})"


@given(expressions.filter(lambda expression: len(written(expression)) <= 400))
def test_what_is_written_is_what_is_parsed(expression: Expression) -> None:
    assert parse_expression(written(expression)) == expression


@given(expressions, st.dictionaries(st.sampled_from(["a", "b", "n"]), values))
def test_every_expression_has_a_value(expression: Expression, variables: dict[str, Value]) -> None:
    assert len(as_text(evaluate(expression, variables))) <= 2000


@given(st.text(st.sampled_from("${}'\"abn01+-*/%!=<>&|(). \\é"), max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parse in (parse_expression, parse_template):
        with contextlib.suppress(ExpressionError):
            parse(text)

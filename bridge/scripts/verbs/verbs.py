"""Lists of verbs, and the verbs that decide what comes next: if, switch, loops, goTo, detection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.scripts import limits
from bridge.scripts.engine.opening import hang_up_on_a_machine
from bridge.scripts.language.build import Build
from bridge.scripts.language.expressions import (
    Expression,
    Name,
    Unary,
    as_value,
    evaluate,
    is_true,
    names_in,
)
from bridge.scripts.language.members import Members
from bridge.scripts.language.templates import constant
from bridge.scripts.steps import (
    AssignStep,
    DetectStep,
    EachStep,
    GoToStep,
    HangUpStep,
    IfStep,
    Label,
    LoopStep,
    SwitchStep,
)
from bridge.scripts.verbs.call_verbs import CALL_VERBS

_DEFAULT_CASE = "__default"
_NOT_OFFERED = {
    "sendSms": "cannot be done: there is nothing here to send an SMS with",
    "dialToWebRTC": "cannot be done: only telephone numbers can be dialled",
    "dialToConversations": "cannot be done: only telephone numbers can be dialled",
}


def compile_verbs(verbs: Any, path: str, build: Build, depth: int = 1) -> None:
    """Appends a list of verbs to the script; what is wrong goes into ``build.problems``."""
    if not isinstance(verbs, list):
        build.problems.add(path, "must be a list of actions")
    elif depth > limits.MAX_DEPTH:
        build.problems.add(path, f"is nested deeper than {limits.MAX_DEPTH} lists")
    else:
        for index, verb in enumerate(verbs):
            _compile_verb(verb, f"{path}[{index}]", build, depth)


def _compile_verb(verb: Any, path: str, build: Build, depth: int) -> None:
    build.count_verb(path)
    if isinstance(verb, str):
        _compile_word(verb, path, build)
    elif isinstance(verb, Mapping):
        _compile_object(Members(verb, path, build.problems), build, depth)
    else:
        build.problems.add(path, "must be an action: an object or a word")


def _compile_word(word: str, path: str, build: Build) -> None:
    match word:
        case "hangup":
            build.add(HangUpStep())
        case "machineDetection":
            hang_up_on_a_machine(build)
        case "repeat" if build.message is not None:
            build.add(GoToStep(build.message))
        case _:
            build.problems.add(path, f"{word[:40]!r} is not an action")


def _compile_object(verb: Members, build: Build, depth: int) -> None:
    action_id = verb.integer("actionId", 0, 2**31)
    if action_id is not None:
        build.name_action(action_id, verb.path_of("actionId"))
    names = _verb_names(verb.value)
    match names:
        case [name] if name in _NOT_OFFERED:
            verb.refuse(name, _NOT_OFFERED[name])
        case [name] if name in CALL_VERBS:
            CALL_VERBS[name](verb, build)
        case [name]:
            _FLOW_VERBS[name](verb, build, depth)
        case []:
            members = ", ".join(str(name)[:40] for name in list(verb.value)[:5])
            build.problems.add(verb.path, f"is not an action: none begins with {members or 'no member'}")
        case _:
            build.problems.add(verb.path, f"is more than one action: {', '.join(names)}")


def _verb_names(verb: Mapping[str, Any]) -> list[str]:
    names = [name for name in verb if name in CALL_VERBS or name in _FLOW_VERBS or name in _NOT_OFFERED]
    if "repeat" in names and "while" in names:
        names.remove("while")
    return names


def _if(verb: Members, build: Build, depth: int) -> None:
    condition = verb.condition("if")
    otherwise, end = build.label(), build.label()
    if condition is not None:
        build.add(IfStep(condition, otherwise))
    verb.required("then")
    _branch(verb, "then", build, depth)
    build.add(GoToStep(end))
    build.place(otherwise)
    _branch(verb, "else", build, depth)
    build.place(end)


def _switch(verb: Members, build: Build, depth: int) -> None:
    subject = verb.condition("switch")
    verb.required("case")
    cases = verb.members("case")
    end = build.label()
    labels = {name: build.label() for name in cases.value}
    otherwise = labels.pop(_DEFAULT_CASE, end)
    if subject is not None:
        build.add(SwitchStep(subject, labels, otherwise))
    for name in cases.value:
        build.place(otherwise if name == _DEFAULT_CASE else labels[name])
        _branch(cases, name, build, depth)
        build.add(GoToStep(end))
    build.place(end)


def _while(verb: Members, build: Build, depth: int) -> None:
    condition = verb.condition("while")
    check = build.label()
    build.add(GoToStep(check))
    body = build.placed_label()
    verb.required("do")
    _branch(verb, "do", build, depth)
    build.place(check)
    _loop(verb, "while", condition, body, build)


def _repeat(verb: Members, build: Build, depth: int) -> None:
    body = build.placed_label()
    _branch(verb, "repeat", build, depth)
    if verb.has("until"):
        until = verb.condition("until")
        condition = None if until is None else Unary("!", until)
        _loop(verb, "until", condition, body, build)
    else:
        _loop(verb, "while", verb.condition("while"), body, build)


def _for_each(verb: Members, build: Build, depth: int) -> None:
    variable = verb.variable("for-each")
    verb.required("in")
    items = verb.template("in")
    check = build.label()
    build.add(GoToStep(check))
    body = build.placed_label()
    verb.required("do")
    _branch(verb, "do", build, depth)
    build.place(check)
    if items is not None:
        build.add(EachStep(variable, items, verb.text("delimiter") or ",", body))


def _go_to(verb: Members, build: Build, _depth: int) -> None:
    verb.required("goTo")
    action_id = verb.integer("goTo", 0, 2**31)
    options = verb.members("options")
    times = options.integer("goToLimit", 1, limits.MAX_PASSES) or limits.MAX_PASSES
    counter = options.variable("countVariable") if options.has("countVariable") else None
    if action_id is not None:
        build.add(GoToStep(build.jump_target(action_id, verb.path_of("goTo")), times, counter))


def _set_variable(verb: Members, build: Build, _depth: int) -> None:
    variable = verb.variable("setVariable")
    value = verb.value.get("value")
    if isinstance(value, Mapping | list):
        verb.refuse("value", "must be a text, a number, true, false or null")
    template = verb.template("value", limits.MAX_VALUE) if isinstance(value, str) else constant(as_value(value))
    if template is not None:
        build.add(AssignStep(variable, template))


def _detect_machine(verb: Members, build: Build, depth: int) -> None:
    inner = verb.value["answeringMachineDetection"]
    where = verb.members("answeringMachineDetection") if isinstance(inner, Mapping) else verb
    branches = {
        "onMachineDetected": "machine",
        "onHumanDetected": "human",
        "onTimeout": "unknown",
    }
    end = build.label()
    labels = {answered_by: build.label() for answered_by in branches.values()}
    build.add(DetectStep())
    _branch(where, "onDetecting", build, depth)
    build.add(SwitchStep(Name("answeredBy"), labels, end))
    for name, answered_by in branches.items():
        build.place(labels[answered_by])
        _branch(where, name, build, depth)
        build.add(GoToStep(end))
    build.place(end)


def _branch(verb: Members, name: str, build: Build, depth: int) -> None:
    if verb.has(name):
        compile_verbs(verb.value[name], verb.path_of(name), build, depth + 1)


def _loop(verb: Members, name: str, condition: Expression | None, body: Label, build: Build) -> None:
    if condition is None:
        return
    is_constant = not any(True for _ in names_in(condition))
    if is_constant and is_true(evaluate(condition, {})) and not build.can_leave(body):
        verb.refuse(name, "never ends: the condition does not change, and nothing inside hangs up or goes elsewhere")
    build.add(LoopStep(condition, body))


_FLOW_VERBS: dict[str, Callable[[Members, Build, int], None]] = {
    "if": _if,
    "switch": _switch,
    "while": _while,
    "repeat": _repeat,
    "for-each": _for_each,
    "goTo": _go_to,
    "setVariable": _set_variable,
    "answeringMachineDetection": _detect_machine,
}

"""Where a call stands in its script: the variables, the next step, and everything that takes no time."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from bridge.scripts import limits
from bridge.scripts.language.expressions import Value, as_text, as_value, evaluate, is_true
from bridge.scripts.script import Script
from bridge.scripts.steps import (
    AssignStep,
    AwaitGreetingStep,
    CollectStep,
    DetectStep,
    DialStep,
    EachStep,
    GoToStep,
    HangUpStep,
    IfStep,
    Label,
    ListenStep,
    LoopStep,
    PerformStep,
    PlayStep,
    RecordStep,
    RequestStep,
    ReturnStep,
    SwitchStep,
)

LineStep = (
    PlayStep
    | ListenStep
    | CollectStep
    | RecordStep
    | DialStep
    | RequestStep
    | DetectStep
    | AwaitGreetingStep
    | HangUpStep
)
"""A step that does something on the line."""

_LOOK_AHEAD = 50


class Flow:
    """Goes through a script. ``variables`` are what its expressions see."""

    def __init__(self, script: Script, variables: Mapping[str, object]) -> None:
        self.variables: dict[str, Value] = {name: as_value(value) for name, value in variables.items()}
        self.is_exhausted = False
        self._script = script
        self._next = 0
        self._return_to = 0
        self._steps_run = 0
        self._passes: dict[int, int] = {}
        self._items: dict[int, deque[str]] = {}

    def next_line_step(self) -> LineStep | None:
        """The next step that does something on the line; None at the end, or when the script ran too long."""
        while self._next < len(self._script.steps):
            self._steps_run += 1
            if self._steps_run > limits.MAX_STEPS_RUN:
                self.is_exhausted = True
                return None
            at = self._next
            step = self._script.steps[at]
            self._next += 1
            match step:
                case GoToStep():
                    self._go_to(step, at)
                case IfStep() | SwitchStep():
                    self._next = self._chosen(step, at)
                case LoopStep():
                    self._loop(step, at)
                case EachStep():
                    self._take_item(step, at)
                case AssignStep(variable, value):
                    self.assign(variable, value.value(self.variables))
                case PerformStep(group):
                    self._return_to = self._next
                    self.jump(group)
                case ReturnStep():
                    self._next = self._return_to
                case _:
                    return step
        return None

    def jump(self, label: Label) -> None:
        """Goes on at the label."""
        self._next = self._script.targets[label]

    def step_back(self) -> None:
        """Goes on with the last step once more."""
        self._next -= 1

    def assign(self, name: str, value: object) -> None:
        """Sets a variable; a call has a limited number of them."""
        if name in self.variables or len(self.variables) < limits.MAX_VARIABLES:
            self.variables[name] = as_value(value)

    def leads_to_listening(self) -> bool:
        """Whether, but for other prompts, the next thing the script does is to listen for keys."""
        at, return_to = self._next, self._return_to
        for _ in range(_LOOK_AHEAD):
            if at >= len(self._script.steps):
                return False
            step = self._script.steps[at]
            match step:
                case ListenStep() | CollectStep():
                    return True
                case PlayStep():
                    at += 1
                case DetectStep() if "answeredBy" in self.variables:
                    at += 1
                case GoToStep(to, times=None):
                    at = self._script.targets[to]
                case IfStep() | SwitchStep():
                    at = self._chosen(step, at)
                case PerformStep(group):
                    at, return_to = self._script.targets[group], at + 1
                case ReturnStep():
                    at = return_to
                case _:
                    return False
        return False

    def _chosen(self, step: IfStep | SwitchStep, at: int) -> int:
        match step:
            case IfStep(condition, otherwise):
                is_met = is_true(evaluate(condition, self.variables))
                return at + 1 if is_met else self._script.targets[otherwise]
            case SwitchStep(subject, cases, otherwise):
                value = as_text(evaluate(subject, self.variables))
                return self._script.targets[cases.get(value, otherwise)]

    def _go_to(self, step: GoToStep, at: int) -> None:
        if step.times is not None and self._count(at) > step.times:
            return
        if step.counter is not None:
            self.assign(step.counter, self._passes[at])
        self.jump(step.to)

    def _loop(self, step: LoopStep, at: int) -> None:
        if is_true(evaluate(step.condition, self.variables)) and self._count(at) <= limits.MAX_PASSES:
            self.jump(step.to)
        else:
            self._passes.pop(at, None)

    def _take_item(self, step: EachStep, at: int) -> None:
        if at not in self._items:
            text = step.items.render(self.variables)
            items = [item.strip() for item in text.split(step.delimiter)]
            self._items[at] = deque([item for item in items if item][: limits.MAX_PASSES])
        if self._items[at]:
            self.assign(step.variable, self._items[at].popleft())
            self.jump(step.to)
        else:
            del self._items[at]

    def _count(self, at: int) -> int:
        self._passes[at] = self._passes.get(at, 0) + 1
        return self._passes[at]

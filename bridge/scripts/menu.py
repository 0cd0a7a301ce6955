"""Menu of a message: what keys do (``actions``, ``actionGroups``, ``callTransfers``, ``repeatDtmf``, ``maxDtmf``).

The inner shape of actions and action groups is ours; see ``docs/reference/scripts.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bridge.scripts import limits
from bridge.scripts.builder import ScriptBuilder
from bridge.scripts.commands import KeysEntered, LimitReached
from bridge.scripts.engine.awaited import Waiting
from bridge.scripts.engine.keys import Entry
from bridge.scripts.engine.run import Jump, Label, Move, Place, Run, Step
from bridge.scripts.language.expressions import Binary, Literal, Name
from bridge.scripts.language.members import MemberReader
from bridge.scripts.verbs.dial import DialStep
from bridge.scripts.verbs.hangup import HangUpStep
from bridge.scripts.verbs.if_ import IfStep

_TRANSFERRED = Binary("==", Name("dialResult"), Literal("answered"))
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """What an input leads to. With ``times`` it can be chosen so often on one call."""

    action: str
    to: Label
    groups: tuple[str, ...] = ()
    times: int | None = None


@dataclass(frozen=True, slots=True)
class ListenStep(Step):
    """Waits for an input and jumps to its choice; after an input that has none it listens again.

    Goes on to the next step when no key came within ``timeout`` seconds and there is no choice for that.
    """

    takes_keys: ClassVar[bool] = True

    codes: Mapping[str, Choice]
    any_keys: Choice | None
    no_keys: Choice | None
    max_keys: int | None
    timeout: float

    def perform(self, run: Run) -> Waiting:
        if run.counts["rounds"] == limits.MAX_ROUNDS:
            run.emit(LimitReached("rounds"))
            run.end()
            return
        entry = Entry(self.codes, self.max_keys, self.timeout, limits.KEY_GAP, run.now)
        yield entry
        choice = self._choice(entry.keys, run)
        if choice is not None:
            run.counts["rounds"] += 1
            run.counts["repeats"] += choice.times is not None
            run.emit(KeysEntered(entry.keys, choice.action, choice.groups))
            run.jump(choice.to)
        elif entry.keys:
            run.emit(KeysEntered(entry.keys))
            run.repeat_step()

    def _choice(self, keys: str, run: Run) -> Choice | None:
        choices = (self.codes.get(keys), self.any_keys) if keys else (self.no_keys,)
        for choice in choices:
            if choice is not None and (choice.times is None or run.counts["repeats"] < choice.times):
                return choice
        return None


@dataclass(frozen=True, slots=True)
class PerformStep(Move):
    """Runs the action group at ``group`` up to its ReturnStep."""

    group: Label

    def move(self, place: Place) -> None:
        place.enter_group(self.group)


@dataclass(frozen=True, slots=True)
class ReturnStep(Move):
    """Ends an action group."""

    def move(self, place: Place) -> None:
        place.leave_group()


@dataclass(slots=True)
class _Group:
    label: Label
    verbs: Any
    path: str
    name_path: str
    used: bool = False


@dataclass(slots=True)
class _Menu:
    """The choices so far, and the steps that each leads to."""

    codes: dict[str, Choice] = field(default_factory=dict)
    any_keys: Choice | None = None
    no_keys: Choice | None = None
    branches: list[tuple[Label, tuple[Step, ...]]] = field(default_factory=list)


def read_menu(message: MemberReader, script: ScriptBuilder, start: Label, dtmf_timeout: float) -> None:
    """Appends the listening after a message that begins at ``start``, and everything that keys lead to."""
    script.message = start
    listen = script.placed_label()
    menu = _Menu()
    groups = _read_groups(message, script)
    _read_actions(message, script, menu, groups, listen)
    _read_transfers(message, script, menu, listen)
    max_keys = message.integer("maxDtmf", 1, limits.MAX_KEYS)
    _refuse_what_cannot_be_entered(menu, max_keys, message)
    _read_repeat(message, menu, start)
    script.add(ListenStep(menu.codes, menu.any_keys, menu.no_keys, max_keys, dtmf_timeout), HangUpStep())
    for label, steps in menu.branches:
        script.place(label)
        script.add(*steps)
    _read_group_verbs(groups, script)


def _read_groups(message: MemberReader, script: ScriptBuilder) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for name, name_path, verbs, path in _groups_as_written(message):
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
            script.problems.add(name_path, f"must be a name of 1 to {_LONGEST_NAME} characters")
        elif name in groups:
            script.problems.add(name_path, f"another group has the name {name!r} already")
        else:
            groups[name] = _Group(script.label(), verbs, path, name_path)
    return groups


def _groups_as_written(message: MemberReader) -> Iterator[tuple[Any, str, Any, str]]:
    written = message.value.get("actionGroups")
    if not isinstance(written, list):
        groups = message.members("actionGroups")
        for name, verbs in groups.value.items():
            yield name, groups.path_of(name), verbs, groups.path_of(name)
        return
    for index, group in enumerate(written):
        path = f"{message.path_of('actionGroups')}[{index}]"
        if isinstance(group, Mapping):
            yield group.get("name"), f"{path}.name", group.get("actions"), f"{path}.actions"
        else:
            message.problems.add(path, 'must be an object with "name" and "actions"')


def _read_actions(
    message: MemberReader, script: ScriptBuilder, menu: _Menu, groups: dict[str, _Group], listen: Label
) -> None:
    for action in _objects(message, "actions"):
        condition = action.one_of("if", ("dtmf", "anyDtmf", "noDtmf"))
        names = _group_names(action, groups)
        performs = tuple(PerformStep(groups[name].label) for name in names)
        choice = Choice(condition or "", script.label(), tuple(names))
        menu.branches.append((choice.to, (*performs, Jump(listen))))
        _choose(action, choice, menu)


def _group_names(action: MemberReader, groups: dict[str, _Group]) -> list[str]:
    if action.has("actionGroups"):
        names = [(name, f"actionGroups[{index}]") for index, name in enumerate(action.items("actionGroups"))]
    else:
        action.required("actionGroup")
        names = [(action.value.get("actionGroup"), "actionGroup")]
    known = []
    for name, member in names:
        if isinstance(name, str) and name in groups:
            groups[name].used = True
            known.append(name)
        elif name is not None:
            action.refuse(member, f"there is no action group {str(name)[:_LONGEST_NAME]!r}")
    return known


def _read_transfers(message: MemberReader, script: ScriptBuilder, menu: _Menu, listen: Label) -> None:
    for transfer in _objects(message, "callTransfers"):
        condition = transfer.one_of("if", ("dtmf", "anyDtmf"))
        transfer.required("transferTo")
        number = transfer.telephone("transferTo")
        dial = DialStep(
            numbers=() if number is None else (number,),
            max_seconds=transfer.integer("callTransferMaxDuration", 1, limits.MAX_TRANSFER),
        )
        choice = Choice("callTransfer", script.label())
        menu.branches.append((choice.to, (dial, IfStep(_TRANSFERRED, listen), HangUpStep())))
        _choose(transfer, choice, menu, condition)


def _choose(entry: MemberReader, choice: Choice, menu: _Menu, condition: str | None = None) -> None:
    entry.required("if")
    match condition or choice.action:
        case "dtmf":
            entry.required("equals")
            keys = entry.keys("equals")
            if keys in menu.codes:
                entry.refuse("equals", f"{keys!r} is chosen by another entry already")
            elif keys is not None:
                menu.codes[keys] = choice
        case "anyDtmf" if menu.any_keys is None:
            menu.any_keys = choice
        case "noDtmf" if menu.no_keys is None:
            menu.no_keys = choice
        case "anyDtmf" | "noDtmf":
            entry.refuse("if", "stands in another entry already")


def _read_repeat(message: MemberReader, menu: _Menu, start: Label) -> None:
    """The whole code repeats the message, and so does each of its digits: both have been documented."""
    code = message.keys("repeatDtmf")
    if code is not None:
        choice = Choice("repeatDtmf", start, times=limits.MAX_REPEATS)
        for keys in (code, *code):
            menu.codes.setdefault(keys, choice)


def _refuse_what_cannot_be_entered(menu: _Menu, max_keys: int | None, message: MemberReader) -> None:
    too_long = [keys for keys in menu.codes if max_keys is not None and len(keys) > max_keys]
    if too_long:
        message.refuse("maxDtmf", f"is too small: {', '.join(too_long)} could never be entered")


def _read_group_verbs(groups: dict[str, _Group], script: ScriptBuilder) -> None:
    for name, group in groups.items():
        if not group.used:
            script.problems.add(group.name_path, f"no action performs the group {name!r}")
        script.place(group.label)
        script.read_verbs(group.verbs, group.path)
        script.add(ReturnStep())
        script.close_scope()


def _objects(message: MemberReader, name: str) -> Iterator[MemberReader]:
    entries = message.items(name)
    if len(entries) > limits.MAX_ACTIONS:
        message.refuse(name, f"has more than {limits.MAX_ACTIONS} entries")
    for index, entry in enumerate(entries[: limits.MAX_ACTIONS]):
        path = f"{message.path_of(name)}[{index}]"
        if isinstance(entry, Mapping):
            yield MemberReader(entry, path, message.problems)
        else:
            message.problems.add(path, "must be an object")

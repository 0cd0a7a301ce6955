"""``actions``, ``actionGroups``, ``callTransfers``, ``repeatDtmf`` and ``maxDtmf``: what keys do on a message.

The inner shape of actions and action groups is ours; see ``docs/reference/scripts.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.scripts import limits
from bridge.scripts.language.build import Build
from bridge.scripts.language.expressions import Binary, Literal, Name
from bridge.scripts.language.members import Members
from bridge.scripts.steps import (
    Choice,
    DialStep,
    GoToStep,
    HangUpStep,
    IfStep,
    Label,
    ListenStep,
    PerformStep,
    ReturnStep,
    Step,
)
from bridge.scripts.verbs.verbs import compile_verbs

_TRANSFERRED = Binary("==", Name("dialResult"), Literal("answered"))
_LONGEST_NAME = 100


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


def compile_actions(message: Members, build: Build, start: Label, dtmf_timeout: float) -> None:
    """Appends the listening after a message that begins at ``start``, and everything that keys lead to."""
    build.message = start
    listen = build.placed_label()
    menu = _Menu()
    groups = _read_groups(message, build)
    _read_actions(message, build, menu, groups, listen)
    _read_transfers(message, build, menu, listen)
    max_keys = message.integer("maxDtmf", 1, limits.MAX_KEYS)
    _refuse_what_cannot_be_entered(menu, max_keys, message)
    _read_repeat(message, menu, start)
    build.add(ListenStep(menu.codes, menu.any_keys, menu.no_keys, max_keys, dtmf_timeout), HangUpStep())
    for label, steps in menu.branches:
        build.place(label)
        build.add(*steps)
    _compile_groups(groups, build)


def _read_groups(message: Members, build: Build) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for name, name_path, verbs, path in _groups_as_written(message):
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
            build.problems.add(name_path, f"must be a name of 1 to {_LONGEST_NAME} characters")
        elif name in groups:
            build.problems.add(name_path, f"another group has the name {name!r} already")
        else:
            groups[name] = _Group(build.label(), verbs, path, name_path)
    return groups


def _groups_as_written(message: Members) -> Iterator[tuple[Any, str, Any, str]]:
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


def _read_actions(message: Members, build: Build, menu: _Menu, groups: dict[str, _Group], listen: Label) -> None:
    for action in _objects(message, "actions"):
        condition = action.one_of("if", ("dtmf", "anyDtmf", "noDtmf"))
        names = _group_names(action, groups)
        performs = tuple(PerformStep(groups[name].label) for name in names)
        choice = Choice(condition or "", build.label(), tuple(names))
        menu.branches.append((choice.to, (*performs, GoToStep(listen))))
        _choose(action, choice, menu)


def _group_names(action: Members, groups: dict[str, _Group]) -> list[str]:
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


def _read_transfers(message: Members, build: Build, menu: _Menu, listen: Label) -> None:
    for transfer in _objects(message, "callTransfers"):
        condition = transfer.one_of("if", ("dtmf", "anyDtmf"))
        transfer.required("transferTo")
        number = transfer.telephone("transferTo")
        dial = DialStep(
            numbers=() if number is None else (number,),
            max_seconds=transfer.integer("callTransferMaxDuration", 1, limits.MAX_TRANSFER),
        )
        choice = Choice("callTransfer", build.label())
        menu.branches.append((choice.to, (dial, IfStep(_TRANSFERRED, listen), HangUpStep())))
        _choose(transfer, choice, menu, condition)


def _choose(entry: Members, choice: Choice, menu: _Menu, condition: str | None = None) -> None:
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


def _read_repeat(message: Members, menu: _Menu, start: Label) -> None:
    """The whole code repeats the message, and so does each of its digits: both have been documented."""
    code = message.keys("repeatDtmf")
    if code is not None:
        choice = Choice("repeatDtmf", start, times=limits.MAX_REPEATS)
        for keys in (code, *code):
            menu.codes.setdefault(keys, choice)


def _refuse_what_cannot_be_entered(menu: _Menu, max_keys: int | None, message: Members) -> None:
    too_long = [keys for keys in menu.codes if max_keys is not None and len(keys) > max_keys]
    if too_long:
        message.refuse("maxDtmf", f"is too small: {', '.join(too_long)} could never be entered")


def _compile_groups(groups: dict[str, _Group], build: Build) -> None:
    for name, group in groups.items():
        if not group.used:
            build.problems.add(group.name_path, f"no action performs the group {name!r}")
        build.place(group.label)
        compile_verbs(group.verbs, group.path, build)
        build.add(ReturnStep())
        build.close_scope()


def _objects(message: Members, name: str) -> Iterator[Members]:
    entries = message.items(name)
    if len(entries) > limits.MAX_ACTIONS:
        message.refuse(name, f"has more than {limits.MAX_ACTIONS} entries")
    for index, entry in enumerate(entries[: limits.MAX_ACTIONS]):
        path = f"{message.path_of(name)}[{index}]"
        if isinstance(entry, Mapping):
            yield Members(entry, path, message.problems)
        else:
            message.problems.add(path, "must be an object")

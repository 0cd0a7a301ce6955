"""Puts a script together step by step."""

from __future__ import annotations

from bridge.scripts import limits
from bridge.scripts.language.problems import Problems
from bridge.scripts.script import Script
from bridge.scripts.steps import GoToStep, HangUpStep, Label, Speech, Step

_UNPLACED = -1


class Build:
    """The steps so far, the problems so far, and what verbs take from around them.

    ``voice``, without a text yet, speaks what names no voice of its own. ``message`` is the label that the verb
    ``repeat`` jumps to; None where there is no message to repeat.
    """

    def __init__(self, voice: Speech) -> None:
        self.problems = Problems()
        self.voice = voice
        self.message: Label | None = None
        self._steps: list[Step] = []
        self._targets: list[int] = []
        self._verbs = 0
        self._action_ids: dict[int, Label] = {}
        self._jumps: dict[str, int] = {}

    def add(self, *steps: Step) -> None:
        """Appends steps."""
        self._steps.extend(steps)

    def label(self) -> Label:
        """A new label, to be placed once."""
        self._targets.append(_UNPLACED)
        return len(self._targets) - 1

    def place(self, label: Label) -> None:
        """Lets the label stand for the next step."""
        self._targets[label] = len(self._steps)

    def placed_label(self) -> Label:
        """A new label for the next step."""
        label = self.label()
        self.place(label)
        return label

    def count_verb(self, path: str) -> None:
        """Counts one verb more; gives up when there are too many."""
        self._verbs += 1
        if self._verbs > limits.MAX_VERBS:
            self.problems.stop(path, f"is one verb too many: a script has at most {limits.MAX_VERBS}")

    def name_action(self, action_id: int, path: str) -> None:
        """Lets ``goTo`` find the next step under ``action_id``."""
        label = self._label_of(action_id)
        if self._targets[label] != _UNPLACED:
            self.problems.add(path, f"another action has the actionId {action_id} already")
        self.place(label)

    def jump_target(self, action_id: int, path: str) -> Label:
        """Where a ``goTo`` at ``path`` leads; the action may come later."""
        self._jumps[path] = action_id
        return self._label_of(action_id)

    def can_leave(self, start: Label) -> bool:
        """Whether something from ``start`` to here ends the call or jumps by the writer's will."""
        return any(
            isinstance(step, HangUpStep)
            or (isinstance(step, GoToStep) and (step.times is not None or step.to == self.message))
            for step in self._steps[self._targets[start] :]
        )

    def close_scope(self) -> None:
        """Checks that every ``goTo`` since the last scope found its action, and forgets their ids."""
        for path, action_id in self._jumps.items():
            if self._targets[self._action_ids[action_id]] == _UNPLACED:
                self.problems.add(path, f"no action here has the actionId {action_id}")
        self._jumps.clear()
        self._action_ids.clear()

    def script(self) -> Script:
        """The finished script. Raises ScriptInvalid."""
        self.problems.raise_if_any()
        return Script(tuple(self._steps), tuple(self._targets))

    def _label_of(self, action_id: int) -> Label:
        if action_id not in self._action_ids:
            self._action_ids[action_id] = self.label()
        return self._action_ids[action_id]

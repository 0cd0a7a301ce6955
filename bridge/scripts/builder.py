"""Builder of scripts: verbs are read one by one, and append their steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.scripts import limits
from bridge.scripts.engine.playing import SpeechOptions
from bridge.scripts.engine.run import Jump, Label, Step
from bridge.scripts.language.kinds import Member
from bridge.scripts.language.members import MemberReader
from bridge.scripts.language.problems import Problems
from bridge.scripts.script import Script

_UNPLACED = -1

_ACTION_ID = "actionId"


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that a script can do: how it is read, and what its documentation says (in Markdown).

    It is written as an object that has a member of the verb's name, or as that word alone (``is_word``); one name may
    be two verbs, one of each form. ``read`` appends the verb's steps to the script.
    """

    name: str
    does: str
    members: tuple[Member[Any], ...]
    read: Callable[[MemberReader, ScriptBuilder], None]
    is_word: bool = False

    def owns(self, name: str) -> bool:
        """Whether it has a member of this name that is not the verb itself."""
        return name != self.name and any(member.path == name for member in self.members)


def refused(name: str, reason: str) -> Verb:
    """A verb of the hosted service that cannot be done here; scripts with it are refused."""
    text = f"cannot be done: {reason}"
    return Verb(name, text, (), lambda verb, _: verb.refuse(name, text))


class ScriptBuilder:
    """The steps so far, the problems so far, and what verbs need to know of the rest of the script.

    ``speech`` has the options of texts that name none of their own. ``message`` is the label of the message that can be
    repeated; None where there is none.
    """

    def __init__(self, verbs: Mapping[str, Verb], words: Mapping[str, Verb], speech: SpeechOptions) -> None:
        self.problems = Problems()
        self.speech = speech
        self.message: Label | None = None
        self._verbs = verbs
        self._words = words
        self._steps: list[Step] = []
        self._targets: list[int] = []
        self._depth = 0
        self._verbs_read = 0
        self._action_ids: dict[int, Label] = {}
        self._jumps: dict[str, int] = {}

    # --- reading

    def read_verbs(self, verbs: Any, path: str) -> None:
        """Appends a list of verbs to the script; what is wrong is noted."""
        if not isinstance(verbs, list):
            self.problems.add(path, "must be a list of actions")
        elif self._depth == limits.MAX_DEPTH:
            self.problems.add(path, f"is nested deeper than {limits.MAX_DEPTH} lists")
        else:
            self._depth += 1
            for index, verb in enumerate(verbs):
                self._read_verb(verb, f"{path}[{index}]")
            self._depth -= 1

    def read_branch(self, verb: MemberReader, member: Member[Any]) -> None:
        """Appends the list of verbs in a member; nothing when it is missing."""
        branch = member.read(verb)
        if branch is not None:
            self.read_verbs(branch, verb.path_of(member.path))

    def refuse_word(self, word: str, path: str) -> None:
        """Notes that a word is no verb here."""
        self.problems.add(path, f"{word[:40]!r} is not an action")

    def _read_verb(self, verb: Any, path: str) -> None:
        self._count_verb(path)
        if isinstance(verb, str):
            self._read_word(verb, path)
        elif isinstance(verb, Mapping):
            self._read_object(MemberReader(verb, path, self.problems))
        else:
            self.problems.add(path, "must be an action: an object or a word")

    def _read_word(self, word: str, path: str) -> None:
        if word in self._words:
            self._words[word].read(MemberReader({}, path, self.problems), self)
        else:
            self.refuse_word(word, path)

    def _read_object(self, verb: MemberReader) -> None:
        action_id = verb.integer(_ACTION_ID, 0, limits.MAX_ACTION_ID)
        if action_id is not None:
            self._name_action(action_id, verb.path_of(_ACTION_ID))
        found = [self._verbs[name] for name in verb.value if name in self._verbs]
        match [one for one in found if not any(other.owns(one.name) for other in found)]:
            case [one]:
                one.read(verb, self)
            case []:
                members = ", ".join(str(name)[:40] for name in list(verb.value)[:5])
                self.problems.add(verb.path, f"is not an action: none begins with {members or 'no member'}")
            case several:
                self.problems.add(verb.path, f"is more than one action: {', '.join(one.name for one in several)}")

    def _count_verb(self, path: str) -> None:
        self._verbs_read += 1
        if self._verbs_read > limits.MAX_VERBS:
            self.problems.stop(path, f"is one verb too many: a script has at most {limits.MAX_VERBS}")

    # --- steps and labels

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

    def jump(self, label: Label) -> None:
        """Appends a jump to the label."""
        self.add(Jump(label))

    def jump_target(self, action_id: int, path: str) -> Label:
        """Where a ``goTo`` at ``path`` leads; the action may come later."""
        self._jumps[path] = action_id
        return self._label_of(action_id)

    def can_leave(self, start: Label) -> bool:
        """Whether a step from ``start`` to here ends the call, or jumps because its author wrote so."""
        return any(step.ends_or_jumps for step in self._steps[self._targets[start] :])

    def close_scope(self) -> None:
        """Checks that every ``goTo`` since the last scope found its action, and forgets their ids."""
        for path, action_id in self._jumps.items():
            if self._targets[self._action_ids[action_id]] == _UNPLACED:
                self.problems.add(path, f"no action here has the actionId {action_id}")
        self._jumps.clear()
        self._action_ids.clear()

    def finished(self) -> Script:
        """The finished script. Raises ScriptInvalid."""
        self.problems.raise_if_any()
        return Script(tuple(self._steps), tuple(self._targets))

    def _name_action(self, action_id: int, path: str) -> None:
        label = self._label_of(action_id)
        if self._targets[label] != _UNPLACED:
            self.problems.add(path, f"another action has the actionId {action_id} already")
        self.place(label)

    def _label_of(self, action_id: int) -> Label:
        if action_id not in self._action_ids:
            self._action_ids[action_id] = self.label()
        return self._action_ids[action_id]

"""``answeringMachineDetection`` finds out who answered, and performs the list of verbs for that."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.scripts.builder import ScriptBuilder, Verb
from bridge.scripts.language.kinds import VERBS, Member, read_by_its_verb
from bridge.scripts.language.members import MemberReader
from bridge.scripts.verbs.machine_detection import ANSWERED_BY, DetectStep
from bridge.scripts.verbs.switch import SwitchStep

_WHERE = Member(
    "answeringMachineDetection", read_by_its_verb("object"), None, "The lists stand in the object, or beside it"
)
_DETECTING = Member("onDetecting", VERBS, None, "performed first; the detector listens alone, so after it")
_BRANCHES = {
    "machine": Member("onMachineDetected", VERBS, None),
    "human": Member("onHumanDetected", VERBS, None),
    "unknown": Member("onTimeout", VERBS, None),
}


def _read(verb: MemberReader, script: ScriptBuilder) -> None:
    inner = _WHERE.read(verb)
    where = verb.members("answeringMachineDetection") if isinstance(inner, Mapping) else verb
    end = script.label()
    labels = {answered_by: script.label() for answered_by in _BRANCHES}
    script.add(DetectStep())
    script.read_branch(where, _DETECTING)
    script.add(SwitchStep(ANSWERED_BY, labels, end))
    for answered_by, branch in _BRANCHES.items():
        script.place(labels[answered_by])
        script.read_branch(where, branch)
        script.jump(end)
    script.place(end)


VERB = Verb(
    "answeringMachineDetection",
    "finds out who answered, once a call. `answeredBy` is `human`, `machine` or `unknown`",
    (_WHERE, _DETECTING, *_BRANCHES.values()),
    _read,
)

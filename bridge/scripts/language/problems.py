"""Problems of a script, gathered under the paths of the members at fault."""

from __future__ import annotations

from typing import ClassVar, NoReturn

from bridge.base.errors import VoicebridgeError
from bridge.scripts import limits


class ScriptInvalid(VoicebridgeError):
    """A script cannot be carried out.

    ``problems`` maps the JSON path of each member at fault (``actionGroups.agent[0].dial``), relative to the message or
    scenario, to what is wrong with it.
    """

    id: ClassVar[str] = "INVALID_SCRIPT"
    quotes_callers: ClassVar[bool] = True

    def __init__(self, problems: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{path}: {' '.join(texts)}" for path, texts in problems.items()))
        self.problems = problems


class Problems:
    """Collects problems, so that a caller learns of all of them at once."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, path: str, text: str) -> None:
        """Notes that the member at ``path`` is wrong. Raises ScriptInvalid when that makes too many problems."""
        texts = self._found.setdefault(path, [])
        if text not in texts:
            texts.append(text)
        if len(self._found) >= limits.MAX_PROBLEMS:
            raise ScriptInvalid(self._found)

    def stop(self, path: str, text: str) -> NoReturn:
        """Notes a problem that makes it useless to read on, and raises ScriptInvalid."""
        self.add(path, text)
        raise ScriptInvalid(self._found)

    def raise_if_any(self) -> None:
        """Raises ScriptInvalid when anything was noted."""
        if self._found:
            raise ScriptInvalid(self._found)

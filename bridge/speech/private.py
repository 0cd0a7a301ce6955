"""Prompts that are nobody else's business, and gone when their call is."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from bridge.speech.files import make_folder, write_new
from bridge.speech.phrase import Prompt

FOLDER_MODE = 0o2750
"""New files get the folder's group (setgid), so that an operator gives the one folder to Asterisk's group."""

FILE_MODE = 0o640


class Private:
    """A folder of prompts that are held until they are released. Blocking: call it from a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: set[Path] = set()

    def keep(self, files: Mapping[str, bytes], *, seconds: float, engine: str, voice: str) -> Prompt:
        """``files`` is the audio by codec. Raises OSError, and leaves nothing behind then."""
        prompt = Prompt(self._folder / secrets.token_hex(16), seconds, engine, voice, cached=False)
        self._held.add(prompt.stem)
        try:
            make_folder(self._folder, FOLDER_MODE)
            for codec, audio in files.items():
                write_new(prompt.stem.with_suffix(f".{codec}"), audio, mode=FILE_MODE)
        except OSError:
            self.release(prompt)
            raise
        return prompt

    def release(self, prompt: Prompt) -> None:
        """Remove it, if it is one of these."""
        if prompt.stem in self._held:
            for path in self._folder.glob(f"{prompt.stem.name}.*"):
                path.unlink(missing_ok=True)
            self._held.discard(prompt.stem)

    def remove_orphans(self) -> None:
        """What a former run left behind."""
        for path in self._folder.glob("*"):
            if path.with_suffix("") not in self._held:
                path.unlink(missing_ok=True)

"""Private prompts: made for one call, not in the cache, and removed when the call is over."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import structlog

from bridge.base.threads import Threads
from bridge.speech.cache.files import make_folder, write_new
from bridge.speech.errors import storing
from bridge.speech.phrase import Prompt
from bridge.speech.sound.assembly import EncodedPrompt

FOLDER_MODE = 0o2750
"""New files get the folder's group (setgid), so that an operator gives the one folder to Asterisk's group."""

FILE_MODE = 0o640

_log = structlog.get_logger(__name__)


class PrivatePrompts:
    """A folder of prompts that are held until they are released.

    Whoever writes a prompt checks at the end whether it is still held, and whoever releases it removes its files: in
    whichever order the two happen, no prompt stays that is not held.
    """

    def __init__(self, folder: Path, threads: Threads) -> None:
        self._folder = folder
        self._threads = threads
        self._held: set[Path] = set()

    async def keep(self, made: EncodedPrompt, *, engine: str, voice: str) -> Prompt:
        """Write a prompt, and hold it until it is released. Raises SpeechNotStoredError."""
        stem = self._folder / secrets.token_hex(16)
        prompt = Prompt(stem, made.seconds, made.sound_seconds, engine, voice, cached=False)
        self._held.add(stem)
        try:
            with storing():
                await self._threads.run(self._write, stem, made.files)
        except BaseException:  # also when it is cancelled
            self.release(prompt)
            raise
        return prompt

    def release(self, *prompts: Prompt) -> asyncio.Future[None] | None:
        """Begin to remove the prompts that are held here; it is done whether or not the result is awaited."""
        stems = [prompt.stem for prompt in prompts if prompt.stem in self._held]
        self._held.difference_update(stems)
        return self._threads.begin(self._remove, stems) if stems else None

    async def remove_orphans(self) -> None:
        """Remove files that nobody holds: an earlier run of the daemon left them."""
        await self._threads.run(self._remove_orphans)

    async def close(self) -> None:
        """Release all prompts, and remove their files."""
        self._held.clear()
        await self.remove_orphans()

    def _write(self, stem: Path, files: Mapping[str, bytes]) -> None:
        make_folder(self._folder, FOLDER_MODE)
        for codec, audio in files.items():
            write_new(stem.with_suffix(f".{codec}"), audio, mode=FILE_MODE)
        if stem not in self._held:
            self._remove([stem])

    def _remove(self, stems: Iterable[Path]) -> None:
        for stem in stems:
            for path in self._folder.glob(f"{stem.name}.*"):
                _remove(path)

    def _remove_orphans(self) -> None:
        for path in self._folder.glob("*"):
            if path.with_suffix("") not in self._held:
                _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:  # the next sweep tries again
        _log.error("private_speech_not_removed", reason=error.strerror)

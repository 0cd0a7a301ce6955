"""The folder of recordings."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bridge.messages.recording import Recording, finished


class RecordingFiles:
    """Where recordings are written, WAV of 16 bits at 8 kHz, by Asterisk; read by whoever has their row."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, recording: Recording) -> Path:
        """Its file, which is there or is not."""
        return self.folder / recording.file_name

    async def finished(self, recording: Recording, expected_seconds: float) -> Recording:
        """The recording when it is over, after what its file says; ``expected_seconds`` is how long it was to be."""
        size = await asyncio.to_thread(_size, self.path(recording))
        return finished(recording, size, expected_seconds)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None

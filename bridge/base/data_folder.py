"""The data folder: one daemon at a time may use it, and an id tells it from all others but a whole copy of it."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from uuid import uuid4

from bridge.base.errors import VoicebridgeError

_ID = re.compile(rb"[0-9a-f]{32}")


class CannotUseDataDir(VoicebridgeError):
    """The data folder cannot be had, mostly since another daemon has it."""

    id = "CANNOT_USE_DATA_DIR"


def occupy(data_dir: Path) -> str:
    """Lock the data folder until this process ends; return its id, which is made when it is locked first.

    The file ``place`` in it holds the id (32 hexadecimal digits) and the lock, which ends with the process, however
    that ends (fcntl(2), "Advisory record locking"). Raises CannotUseDataDir.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = os.open(data_dir / "place", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _id_in(file)
    except BlockingIOError as error:
        raise CannotUseDataDir(f"another daemon runs in {data_dir}: stop it, or set VOICEBRIDGE_DATA_DIR") from error
    except OSError as error:
        raise CannotUseDataDir(f"{data_dir}: {error.strerror}") from error


def _id_in(file: int) -> str:
    kept = os.read(file, 100)
    if not _ID.fullmatch(kept):  # new, or the power failed while it was written
        kept = uuid4().hex.encode()
        os.ftruncate(file, 0)
        os.pwrite(file, kept, 0)
        os.fsync(file)
    return kept.decode()

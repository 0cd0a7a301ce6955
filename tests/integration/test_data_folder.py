"""The data folder: one process at a time has it, and by its id its machine is known."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

PROCESSES_AT_ONCE = 8
DAEMON = """
import os, sys
from pathlib import Path
from bridge.base.errors import VoicebridgeError
from bridge.base.data_folder import occupy

os.umask(0)
print("ready", flush=True)
sys.stdin.readline()
try:
    print("has it", occupy(Path(sys.argv[1])), flush=True)
except VoicebridgeError as error:
    print(error.id, error, flush=True)
sys.stdin.readline()
"""


class Daemon:
    """A process that asks for a data folder when it is told to, and has it until it is killed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert self._heard() == "ready"

    def go(self) -> None:
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """``has it`` and the id, or the error."""
        return self._heard()

    def _heard(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().rstrip("\n")


@contextmanager
def daemon(folder: Path) -> Iterator[Daemon]:
    """It is killed in the end."""
    command = [sys.executable, "-c", DAEMON, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Daemon(process)
        finally:
            process.kill()


def id_in(folder: Path) -> str:
    """The id by which a process that runs there for a moment is known."""
    with daemon(folder) as only:
        only.go()
        what, _, id_ = only.answer().rpartition(" ")
    assert what == "has it"
    return id_


def test_of_many_that_ask_at_once_one_has_it_and_the_others_are_told_which_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    with ExitStack() as running:
        daemons = [running.enter_context(daemon(folder)) for _ in range(PROCESSES_AT_ONCE)]
        for one in daemons:
            one.go()
        answers = sorted(one.answer() for one in daemons)
    refused = f"CANNOT_USE_DATA_DIR another daemon runs in {folder}: stop it, or set VOICEBRIDGE_DATA_DIR"
    assert answers[:-1] == [refused] * (PROCESSES_AT_ONCE - 1)
    assert answers[-1] == f"has it {(folder / 'place').read_text()}"


def test_the_id_outlives_a_daemon_that_is_killed(tmp_path: Path) -> None:
    first = id_in(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert id_in(tmp_path) == first


def test_only_the_daemons_user_can_read_the_file_or_lock_it(tmp_path: Path) -> None:
    id_in(tmp_path)
    assert (tmp_path / "place").stat().st_mode & 0o777 == 0o600


def test_a_copy_of_the_folder_is_another_place_when_it_has_not_the_file(tmp_path: Path) -> None:
    original = id_in(tmp_path / "original")
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    (tmp_path / "copy" / "place").unlink()
    assert id_in(tmp_path / "copy") != original
    assert id_in(tmp_path / "original") == original


@pytest.mark.parametrize("kept", [b"", b"0123456789abcdef", b"\0" * 32])
def test_an_id_that_was_not_wholly_written_is_made_anew_and_stays(kept: bytes, tmp_path: Path) -> None:
    """As a power failure leaves the file."""
    (tmp_path / "place").write_bytes(kept)
    made = id_in(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert id_in(tmp_path) == made


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with daemon(tmp_path / "file" / "data") as refused:
        refused.go()
        assert refused.answer() == f"CANNOT_USE_DATA_DIR {tmp_path / 'file' / 'data'}: Not a directory"

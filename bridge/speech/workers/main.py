"""The program of every worker process: ``python OPTIONS main.py FILE``. One request is answered at a time.

``FILE`` is the engine's own part. It has a function ``load``, which returns what ``Work`` describes, or raises OSError
with what is missing. Both files are run by their path and import nothing else of ours.

On standard input: one JSON object a line, a request. On standard output: first a hello, then one answer a request. Each
is a signed 32-bit little-endian length and that many bytes. The hello is a JSON object; a negative length announces an
error message in UTF-8. End of input ends the process, and so does the end of its parent, whatever it is doing then.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any, BinaryIO, Protocol, cast

PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Work(Protocol):
    """The engine's own part of a worker process. ``hello`` is what it tells of itself first."""

    hello: dict[str, Any]

    def answer(self, request: dict[str, Any]) -> bytes:
        """Raises ValueError, which never quotes the text."""


def answer(out: BinaryIO, payload: bytes, *, is_error: bool = False) -> None:
    out.write(struct.pack("<i", -len(payload) if is_error else len(payload)))
    out.write(payload)
    out.flush()


def work_of(file: str) -> Work:
    """The engine's own part, loaded from its file. Raises OSError."""
    spec = spec_from_file_location("work", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast(Work, module.load())


def end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main(file: str) -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which then closes our input
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a print inside a library must not enter the answers
        try:
            work = work_of(file)
        except OSError as error:
            answer(out, str(error).encode(), is_error=True)
            return
        answer(out, json.dumps(work.hello).encode())
        for line in sys.stdin.buffer:
            request = json.loads(line)
            try:
                answer(out, work.answer(request))
            except ValueError as error:
                answer(out, str(error).encode(), is_error=True)


if __name__ == "__main__":
    main(sys.argv[1])

"""``python -m bridge.lab up|down|demo``: what the targets of the Makefile run."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from bridge.base.errors import VoicebridgeError


def main() -> int:
    """Exit status 0; 1 when the lab or the call failed; 130 when it was interrupted."""
    for interruption in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(interruption, signal.default_int_handler)
    try:
        return _run(sys.argv[1], Path(os.environ.get("LAB_DIR") or ".lab"))
    except VoicebridgeError as error:
        print(f"{error.id}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _run(command: str, directory: Path) -> int:
    # Imported here, since it takes most of a second, in which an interrupt must be handled as well.
    from bridge.lab.demo import demo  # noqa: PLC0415
    from bridge.lab.lab import Lab  # noqa: PLC0415

    lab = Lab(directory)
    if command == "down":
        lab.down()
        print(f"The lab in {lab.directory} is stopped; its files are left.")
        return 0
    if command == "demo":
        return demo(lab)
    started = lab.up()
    print(f"Started {', '.join(started)}." if started else "Everything was running.")
    for problem in lab.problems():
        print(f"No call can be made now: {problem}")
    print(f"API: {lab.environment()['VOICEBRIDGE_URL']}  settings: {lab.directory}/env  logs: {lab.directory}/log")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The Asterisk that the lab runs: the system's, or one unpacked in the user's cache.

Standard library only: the preparation runs this before anything is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bridge.base.errors import VoicebridgeError

OLDEST_ASTERISK = (20, 6)  # the first with PJSIPHangup()


class AsteriskMissing(VoicebridgeError):
    """No Asterisk of version 20.6 or newer was found on this machine."""

    id = "ASTERISK_MISSING"


@dataclass(frozen=True, slots=True)
class Program:
    """An Asterisk that can be started.

    ``command`` starts it (``-C FILE`` and other arguments follow); ``module_dir`` and ``data_dir`` are the values of
    ``astmoddir`` and ``astdatadir`` that fit it; ``version`` is for example ``(22, 10, 1)``.
    """

    command: list[str]
    module_dir: Path
    data_dir: Path
    version: tuple[int, ...]


def asterisk_tree() -> Path:
    """The folder in the user's cache where an Asterisk unpacked from Debian unstable stands."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voicebridge" / "asterisk"


def find_asterisk() -> Program:
    """The system's Asterisk, if it is version 20.6 or newer, else the one in the user's cache.

    Raises ``AsteriskMissing``.
    """
    program = _installed() or _unpacked(asterisk_tree())
    if program is None:
        oldest = ".".join(map(str, OLDEST_ASTERISK))
        raise AsteriskMissing(
            f"no Asterisk {oldest} or newer is here: as root on Debian or Ubuntu `make lab` fetches one; "
            "elsewhere install it with your package manager, or use Docker (see README.md)"
        )
    return program


def _installed() -> Program | None:
    executable = shutil.which("asterisk", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if executable is None:
        return None
    return _program([executable], Path("/usr"), [Path("/usr/share/asterisk"), Path("/var/lib/asterisk")])


def _unpacked(tree: Path) -> Program | None:
    """An Asterisk inside a foreign root, started by that root's own loader and libraries."""
    loaders = sorted([*tree.glob("lib64/ld-linux-*.so.*"), *tree.glob("lib/ld-linux-*.so.*")])
    if not loaders:
        return None
    libraries = [str(path) for place in ("lib", "usr/lib") for path in sorted((tree / place).glob("*-linux-gnu*"))]
    command = [str(loaders[0]), "--library-path", ":".join(libraries), str(tree / "usr/sbin/asterisk")]
    return _program(command, tree / "usr", [tree / "usr/share/asterisk"])


def _program(command: list[str], prefix: Path, data_dirs: list[Path]) -> Program | None:
    version = _version(command)
    documented = [path for path in data_dirs if (path / "documentation").is_dir()]
    modules = [
        path.parent
        for pattern in ("lib*/asterisk/modules", "lib/*/asterisk/modules", "local/lib*/asterisk/modules")
        for path in sorted(prefix.glob(f"{pattern}/chan_pjsip.so"))
    ]
    if not modules or not documented or version < OLDEST_ASTERISK:
        return None
    return Program(command, modules[0], documented[0], version)


def _version(command: list[str]) -> tuple[int, ...]:
    """The version that ``asterisk -V`` tells, ``(0,)`` when it does not."""
    try:
        told = subprocess.run([*command, "-V"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return (0,)
    found = re.search(r"(\d+(?:\.\d+)+)", told)
    return tuple(int(part) for part in found[1].split(".")) if found else (0,)

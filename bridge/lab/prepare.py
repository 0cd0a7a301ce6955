"""Makes a bare Debian or Ubuntu machine ready for the lab and the tests.

Run by the system's own Python (``python3 -m bridge.lab.prepare lab|lint|test``), so standard library only.
What is in place already is left alone; without anything to do the network is not touched.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.lab.programs import OLDEST_ASTERISK, AsteriskMissing, asterisk_tree, find_asterisk
from bridge.lab.steps import StepFailed, Steps

CHECKOUT = Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv"
STAMP = VENV / "installed"
OLDEST_PYTHON = (3, 11)
TOOLS = {"ffmpeg": "ffmpeg", "espeak-ng": "espeak-ng"}
TEST_TOOLS = {
    "sipp": "sip-tester",
    "tshark": "tshark",
    "sox": "sox",
    "sqlite3": "sqlite3",
    "initdb": "postgresql",
    "cpulimit": "cpulimit",
}
DEBOOTSTRAP = ["debootstrap", "debian-archive-keyring"]
STARTED_BY_DEBIAN = ("asterisk", "postgresql")
"""Packages whose server runs once they are installed; the lab and the tests start their own."""


def main() -> int:
    """Exit status 0: everything is in place. 1: it is not, and the output says why. 130: interrupted."""
    for interruption in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(interruption, signal.default_int_handler)
    try:
        prepare(sys.argv[1])
    except StepFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def prepare(purpose: str) -> None:
    """Install what is missing to run the ``lab``, to ``lint`` or to ``test``. Raises ``StepFailed``."""
    if sys.version_info < OLDEST_PYTHON:
        raise StepFailed(f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed; this is {sys.version}")
    packages = _missing_packages(purpose)
    asterisk_missing = not _has_asterisk()
    if packages or asterisk_missing:
        _check_that_packages_can_be_installed(packages, asterisk_missing)
    elif _environment_is_current(purpose):
        return
    cache = asterisk_tree().parent
    with _only_one_at_a_time(cache):
        steps = Steps(cache / "prepare.log")
        if packages or asterisk_missing:
            steps.together({"System packages": lambda: _install(steps, packages, asterisk_missing)})
        remaining = {}
        if not _has_asterisk():
            remaining["Asterisk from Debian unstable"] = lambda: _unpack_asterisk(steps, asterisk_tree())
        if not _environment_is_current(purpose):
            remaining["Python packages"] = lambda: _install_environment(steps, purpose)
        if remaining:
            steps.together(remaining)


def _missing_packages(purpose: str) -> list[str]:
    tools = TOOLS | TEST_TOOLS if purpose == "test" else TOOLS
    missing = [package for program, package in tools.items() if not _is_installed(program)]
    if not _loadable("libespeak-ng.so.1"):
        missing.append("libespeak-ng1")
    if importlib.util.find_spec("ensurepip") is None:
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    return missing


def _is_installed(program: str) -> bool:
    # Debian has PostgreSQL's programs in a folder for each version, of which none is in the path.
    return shutil.which(program) is not None or any(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))


def _loadable(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_asterisk() -> bool:
    try:
        find_asterisk()
    except AsteriskMissing:
        return False
    return True


def _check_that_packages_can_be_installed(packages: list[str], asterisk_missing: bool) -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        return
    wanted = packages + (
        [f"asterisk (version {'.'.join(map(str, OLDEST_ASTERISK))} or newer)"] if asterisk_missing else []
    )
    raise StepFailed(
        f"Missing: {', '.join(wanted)}.\n"
        "As root on Debian or Ubuntu this command installs them. Otherwise install them with your package manager\n"
        "and run it again, or use Docker, which needs none of them (see README.md). Nothing was changed."
    )


@contextmanager
def _only_one_at_a_time(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(steps: Steps, packages: list[str], asterisk_missing: bool) -> None:
    if asterisk_missing and not _package_lists():
        steps.call("apt-get", "update")
    if asterisk_missing:
        packages = packages + (["asterisk"] if _candidate("asterisk") >= OLDEST_ASTERISK else DEBOOTSTRAP)
    _apt_install(steps, packages)
    if shutil.which("systemctl"):
        for server in STARTED_BY_DEBIAN:
            if server in packages:
                steps.call("systemctl", "disable", "--now", server)


def _package_lists() -> bool:
    return any(Path("/var/lib/apt/lists").glob("*_Packages*"))


def _candidate(package: str) -> tuple[int, ...]:
    """The version that apt would install, empty when there is none."""
    policy = subprocess.run(
        ["apt-cache", "policy", package],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LC_ALL": "C"},
    )
    found = re.search(r"Candidate: (?:\d+:)?(\d+)\.(\d+)", policy.stdout)
    return tuple(map(int, found.groups())) if found else ()


def _apt_install(steps: Steps, packages: list[str]) -> None:
    install = ("apt-get", "install", "-y", "--no-install-recommends", *packages)
    try:
        steps.call(*install)
    except StepFailed:
        steps.call("dpkg", "--configure", "-a")
        steps.call("apt-get", "update")
        steps.call(*install)


def _unpack_asterisk(steps: Steps, tree: Path) -> None:
    """A minimal root of Debian unstable with Asterisk in it; nothing of it is ever entered by chroot afterwards."""
    partial = tree.with_name("asterisk.partial")
    _discard(partial)
    try:
        steps.call("debootstrap", "--variant=minbase", "--include=asterisk", "sid", str(partial))
        shutil.rmtree(partial / "var/cache/apt")
        _discard(tree)
        partial.rename(tree)
    finally:
        _discard(partial)


def _discard(tree: Path) -> None:
    """Remove a root, file systems that an interrupted debootstrap left mounted in it first."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in reversed([place for place in mounted if place.startswith(f"{tree}/")]):
        subprocess.run(["umount", "--lazy", place], check=True)  # noqa: S607
    shutil.rmtree(tree, ignore_errors=True)


def _environment_is_current(purpose: str) -> bool:
    if not STAMP.exists() or not (VENV / "bin/python").exists():
        return False
    made_from, *groups = STAMP.read_text().split()
    return made_from == _recipe() and (purpose == "lab" or "dev" in groups)


def _recipe() -> str:
    return hashlib.sha256((CHECKOUT / "pyproject.toml").read_bytes()).hexdigest()


def _install_environment(steps: Steps, purpose: str) -> None:
    """The virtual environment with this checkout installed editable; the stamp comes last, when all is there."""
    groups = ["dev"] if purpose != "lab" or (STAMP.exists() and "dev" in STAMP.read_text().split()) else []
    python = str(VENV / "bin/python")
    if not STAMP.exists():
        steps.call(sys.executable, "-m", "venv", "--clear", str(VENV))
    STAMP.unlink(missing_ok=True)
    if groups:  # dependency groups (PEP 735) came with pip 25.1
        steps.call(python, "-m", "pip", "install", "--upgrade", "pip>=25.1")
    with_groups = [argument for group in groups for argument in ("--group", group)]
    steps.call(python, "-m", "pip", "install", "--editable", ".", *with_groups, folder=CHECKOUT)
    STAMP.write_text(" ".join([_recipe(), *groups]))


if __name__ == "__main__":
    sys.exit(main())

"""A Docker engine with compose and the base images, also on a Debian machine that has nothing and can pull nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bridge.lab.steps import StepFailed, Steps

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voicebridge" / "docker"
COMPOSE = CACHE / "docker-compose"
OWN_AUTHORITIES = "usr/local/share/ca-certificates"

SUITES = ("trixie", "sid")
"""The Debian suites whose images ``debian:SUITE-slim`` the Dockerfiles build on."""

START_SECONDS = 60.0
END_SECONDS = 60.0


@contextmanager
def engine(steps: Steps) -> Iterator[list[str]]:
    """Yield the compose command of an engine that has the base images.

    An engine that runs is used as it is. Otherwise one is installed, started, and stopped in the end; its images are
    kept for the next time. Raises ``StepFailed``.
    """
    if not shutil.which("docker") or (not _answers() and not shutil.which("dockerd")):
        steps.together({"Docker": lambda: _install(steps, "docker.io", "iptables", *_if_known("docker-cli"))})
    with _running():
        missing = [suite for suite in SUITES if not _succeeds("docker", "image", "inspect", _image(suite))]
        if missing and not all(_succeeds("docker", "pull", _image(suite)) for suite in missing):
            steps.together({"Tools for base images": lambda: _install(steps, "debootstrap", "debian-archive-keyring")})
            steps.together({f"Base image {_image(suite)}": partial(_make_base, steps, suite) for suite in missing})
        if not _succeeds("docker", "compose", "version") and not COMPOSE.exists():
            steps.together({"Docker Compose": lambda: _fetch_compose(steps)})
        if not _succeeds("docker", "buildx", "version"):
            os.environ["DOCKER_BUILDKIT"] = "0"
        yield ["docker", "compose"] if _succeeds("docker", "compose", "version") else [str(COMPOSE)]


@contextmanager
def _running() -> Iterator[None]:
    """An engine of the machine's own, or one of ours, with its socket and all its files in the cache."""
    if _answers():
        yield
        return
    socket = f"unix://{CACHE}/docker.sock"
    CACHE.mkdir(parents=True, exist_ok=True)
    command = ["dockerd", "--host", socket, "--pidfile", str(CACHE / "dockerd.pid")]
    command += ["--data-root", str(CACHE / "data"), "--exec-root", str(CACHE / "exec")]
    with (CACHE / "dockerd.log").open("wb") as log:
        # In a session of its own: a Ctrl-C is for us, and we still need the engine to clean up.
        daemon = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    os.environ["DOCKER_HOST"] = socket
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers():
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise StepFailed(f"dockerd did not start; {CACHE}/dockerd.log tells why")
            time.sleep(0.2)
        yield
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(END_SECONDS)


def _answers() -> bool:
    return _succeeds("docker", "version")


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _install(steps: Steps, *packages: str) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise StepFailed(
            f"Missing: {', '.join(packages)}. As root on Debian or Ubuntu this command installs them.\n"
            "Elsewhere install Docker Engine with Compose, pull debian:trixie-slim and debian:sid-slim, and try again."
        )
    steps.call("apt-get", "update")
    steps.call("apt-get", "install", "-y", "--no-install-recommends", *packages)


def _if_known(package: str) -> list[str]:
    """A package that only some releases have."""
    return [package] if _succeeds("apt-cache", "show", package) else []


def _image(suite: str) -> str:
    return f"debian:{suite}-slim"


def _make_base(steps: Steps, suite: str) -> None:
    """What the official image is in essence: the minimal set of packages. This machine's own authorities come along."""
    root, archive = CACHE / f"{suite}.root", CACHE / f"{suite}.tar"
    shutil.rmtree(root, ignore_errors=True)
    try:
        steps.call("debootstrap", "--variant=minbase", suite, str(root))
        if Path("/", OWN_AUTHORITIES).is_dir():
            shutil.copytree(Path("/", OWN_AUTHORITIES), root / OWN_AUTHORITIES, dirs_exist_ok=True)
        steps.call("tar", "--directory", str(root), "--create", "--file", str(archive), ".")
        steps.call("docker", "import", str(archive), _image(suite))
    finally:
        shutil.rmtree(root, ignore_errors=True)
        archive.unlink(missing_ok=True)


def _fetch_compose(steps: Steps) -> None:
    """Compose is a program of its own; Debian packages it as ``docker-compose`` from 13 on."""
    unpack = (
        "apt-get update && cd $(mktemp -d) && apt-get download docker-compose && dpkg-deb -x docker-compose_*.deb ."
        " && cp usr/libexec/docker/cli-plugins/docker-compose /cache"
    )
    steps.call("docker", "run", "--rm", "--volume", f"{CACHE}:/cache", _image("trixie"), "sh", "-c", unpack)

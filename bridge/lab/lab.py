"""The lab: the bridge's Asterisk, a carrier with telephones and the daemon, all on loopback, in the background."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bridge.base.errors import VoicebridgeError
from bridge.lab.ports import Ports, claim
from bridge.lab.processes import Process, start, stop, uninterrupted, until
from bridge.lab.programs import Program, find_asterisk
from bridge.lab.setup import ASTERISK, CARRIER, DAEMON, Setup, lines, new_secrets, write_private
from bridge.lab.telephones import PhoneCall, phone_calls

READY_WITHIN = 60.0
END_WITHIN = {DAEMON: 90.0, ASTERISK: 15.0, CARRIER: 15.0}
LONGEST_PATH = 80  # below it lie Unix sockets, whose paths have at most 107 bytes
LAST_LINES = 25
OF_A_STARTED_DAEMON = ("daemon", "asterisk")
"""The checks of ``/readyz`` that it passes; a trunk that refuses it, or a full disk, is not the lab's to mend."""


class LabFailed(VoicebridgeError):
    """The lab could not start; the message says why, with the end of the log where a part failed."""

    id = "LAB_FAILED"


@dataclass(slots=True)
class _State:
    """What is kept between commands: ``LAB_DIR/state.json``."""

    first_port: int | None = None
    secrets: dict[str, str] = field(default_factory=new_secrets)
    processes: dict[str, Process] = field(default_factory=dict)


class Lab:
    """One lab, whose state is a folder. Raises ``LabFailed`` when the folder's path cannot be used.

    ``settings`` are ``VOICEBRIDGE_*`` variables that win over those of the environment. ``ami_port`` is where the
    daemon looks for Asterisk's manager interface, when something stands between the two.
    """

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None, ami_port: int | None = None) -> None:
        self.directory = directory.resolve()
        self._settings = settings or {}
        self._ami_port = ami_port
        if len(str(self.directory)) > LONGEST_PATH or not re.fullmatch(r"[A-Za-z0-9/._+-]+", str(self.directory)):
            raise LabFailed(
                f"LAB_DIR {self.directory} cannot be used: at most {LONGEST_PATH} letters, digits and any of / . _ + -"
            )
        self._file = self.directory / "state.json"

    @property
    def running(self) -> bool:
        """Whether any part runs."""
        return any(process.alive for process in self._load().processes.values())

    @property
    def ports(self) -> Ports:
        """The lab's ports, once it was started."""
        return Ports(self._load().first_port or 0)

    def environment(self) -> dict[str, str]:
        """The variables of ``LAB_DIR/env``."""
        return dict(line.split("=", 1) for line in (self.directory / "env").read_text().splitlines())

    def problems(self) -> list[str]:
        """Why the daemon can make no call, as its ``/readyz`` says, a line for each reason."""
        return _problems(_checks(self.environment()["VOICEBRIDGE_URL"]))

    def log(self, part: str) -> Path:
        """The log of ``asterisk``, ``carrier`` or ``voicebridge``."""
        return self.directory / "log" / f"{part}.log"

    def phone_calls(self, number: str | None = None) -> list[PhoneCall]:
        """The finished calls of one telephone, or of all, in the order in which they ended."""
        return phone_calls(self.directory / "calls.jsonl", number)

    def up(self) -> list[str]:
        """Start what is not running, and return its names. Raises ``LabFailed``, after stopping what it started."""
        with self._locked():
            state, program = self._load(), find_asterisk()
            holder = self._claim_ports(state)
            given = _given() | dict(self._settings)
            setup = Setup(self.directory, Ports(state.first_port or 0), state.secrets, given, self._ami_port)
            started: list[str] = []
            try:
                self._start_missing(setup, program, state, holder, started)
            except BaseException:
                self._stop(state, started)
                raise
            finally:
                if holder is not None:
                    os.close(holder)
            write_private(self.directory / "env", lines(_env_file(setup, state.processes)))
            return started

    def down(self) -> None:
        """Stop what ``up`` started; the files stay."""
        if not self._file.exists():
            return
        with self._locked():
            self._stop(self._load(), (CARRIER, ASTERISK, DAEMON))

    def _claim_ports(self, state: _State) -> int | None:
        """Claim the lab's ports, unless a running part has them. Returns the descriptor that holds them."""
        if state.processes:
            return None
        ports, holder = claim(state.first_port)
        state.first_port = ports.first
        return holder

    def _start_missing(
        self, setup: Setup, program: Program, state: _State, holder: int | None, started: list[str]
    ) -> None:
        """Start all at the same time, then wait for each; a part that was just ending is started too."""
        for part in setup.parts:
            if part not in state.processes:
                started.append(part)
                self._start(part, setup, program, state, holder)
        for part in setup.parts:
            ready = self._wait_until_ready(part, setup, program, state.processes[part])
            if not ready and part not in started:
                started.append(part)
                self._start(part, setup, program, state, holder)
                ready = self._wait_until_ready(part, setup, program, state.processes[part])
            if not ready:
                raise LabFailed(self._with_log(part, "ended"))

    def _start(self, part: str, setup: Setup, program: Program, state: _State, holder: int | None) -> None:
        setup.write_configuration(part, program)
        with uninterrupted():
            state.processes[part] = start(setup.command(part, program), setup.environment(), self.log(part), holder)
            self._save(state)

    def _wait_until_ready(self, part: str, setup: Setup, program: Program, process: Process) -> bool:
        """False when the part ended instead. Raises ``LabFailed`` when it runs and does not become ready."""

        def ready_or_dead() -> bool:
            if part == DAEMON:
                return not process.alive or _serves(setup.url)
            return not process.alive or _booted(setup.command(part, program))

        if not until(ready_or_dead, READY_WITHIN):
            reasons = _problems(_checks(setup.url)) if part == DAEMON else []
            what = "; ".join([f"was not ready after {READY_WITHIN:.0f} s", *reasons])
            raise LabFailed(self._with_log(part, what))
        return process.alive

    def _with_log(self, part: str, what: str) -> str:
        tail = self.log(part).read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join([f"{part} {what}; the end of {self.log(part)}:", *tail])

    def _stop(self, state: _State, parts: Iterable[str]) -> None:
        """Stop parts in the reverse order of their start: the daemon ends its calls first."""
        with uninterrupted():
            for part in reversed(list(parts)):
                if process := state.processes.pop(part, None):
                    stop(process, END_WITHIN[part])
            self._save(state)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _load(self) -> _State:
        """The state; processes that ended since are forgotten."""
        if not self._file.exists():
            return _State()
        kept = json.loads(self._file.read_text())
        processes = {part: Process(**process) for part, process in kept.pop("processes").items()}
        return _State(**kept, processes={part: process for part, process in processes.items() if process.alive})

    def _save(self, state: _State) -> None:
        write_private(self._file, json.dumps(asdict(state), indent=2))


def _given() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("VOICEBRIDGE_") and value}


def _booted(command: list[str]) -> bool:
    remote = [*command[:-1], "-rx", "core waitfullybooted"]
    try:
        return subprocess.run(remote, capture_output=True, timeout=READY_WITHIN, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _serves(url: str) -> bool:
    checks = _checks(url)
    return all(checks.get(part) == "ok" for part in OF_A_STARTED_DAEMON)


def _problems(checks: Mapping[str, str]) -> list[str]:
    return [f"{part}: {state}" for part, state in checks.items() if state != "ok"]


def _checks(url: str) -> dict[str, str]:
    """What the daemon says of its parts in ``/readyz``; nothing while it does not answer."""
    try:
        with closing(HTTPConnection(url.removeprefix("http://"), timeout=5)) as connection:
            connection.request("GET", "/readyz")
            checks: dict[str, str] = json.loads(connection.getresponse().read())["checks"]
    except (OSError, HTTPException):
        return {}
    return checks


def _env_file(setup: Setup, processes: dict[str, Process]) -> dict[str, str]:
    settings = setup.daemon_settings
    return {
        "VOICEBRIDGE_URL": setup.url,
        **{
            name: settings[name]
            for name in (
                "VOICEBRIDGE_API_KEY",
                "VOICEBRIDGE_USER",
                "VOICEBRIDGE_PASSWORD",
                "VOICEBRIDGE_DATABASE_URL",
                "VOICEBRIDGE_DATA_DIR",
            )
        },
        "VOICEBRIDGE_PID": str(processes[DAEMON].pid),
        "ASTERISK_PID": str(processes[ASTERISK].pid),
        "ASTERISK_AMI": setup.ami_url,
    }

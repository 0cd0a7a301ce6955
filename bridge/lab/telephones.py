"""The carrier's configuration, what its telephones say, and what they heard."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any

from bridge.lab.programs import Program
from bridge.lab.sayings import SAYINGS, keep, keep_silence

TEMPLATES = Path(__file__).parent / "carrier"
DEFAULTS_ARE_RIGHT = ("acl", "ccss", "features", "indications", "manager", "pjproject", "stasis", "udptl")
"""Configuration files that may be empty, but that Asterisk complains about when they are missing."""

CLASS = """
[{name}]
mode = files
directory = {folder}
sort = alpha
"""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier: its SIP port over UDP, its RTP ports (both ends included), its folders and files.

    ``bridge_network``, in CIDR form, is where the bridge calls from.
    """

    sip_port: int
    rtp_first: int
    rtp_last: int
    softphone_password: str
    state_dir: Path
    heard_dir: Path
    calls_file: Path
    sip_host: str = "127.0.0.1"
    bridge_network: str = "127.0.0.0/8"

    @property
    def configuration(self) -> Path:
        """The file that ``asterisk -C`` takes."""
        return self.state_dir / "etc" / "asterisk.conf"


def render(carrier: Carrier, program: Program) -> None:
    """Write the carrier's configuration and the sounds that its telephones make."""
    etc, speech = carrier.configuration.parent, carrier.state_dir / "speech"
    for folder in (etc, speech, carrier.heard_dir, *(carrier.state_dir / name for name in ("run", "log", "spool"))):
        folder.mkdir(parents=True, exist_ok=True)
    values = {
        "etc_dir": etc,
        "module_dir": program.module_dir,
        "data_dir": program.data_dir,
        "state_dir": carrier.state_dir,
        "classes": "".join(CLASS.format(name=name, folder=speech / name) for name in SAYINGS),
        "heard_dir": carrier.heard_dir,
        "calls_file": carrier.calls_file,
        "sip_host": carrier.sip_host,
        "sip_port": carrier.sip_port,
        "bridge_network": carrier.bridge_network,
        "rtp_first": carrier.rtp_first,
        "rtp_last": carrier.rtp_last,
        "softphone_password": carrier.softphone_password,
    }
    for source in TEMPLATES.iterdir():
        text = source.read_text()
        if source.suffix == ".in":
            text = Template(text).substitute(values)
        target = etc / source.name.removesuffix(".in")
        target.touch(mode=0o600)
        target.write_text(text)
    for name in DEFAULTS_ARE_RIGHT:
        (etc / f"{name}.conf").touch()
    keep_silence(speech)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: keep(speech / name, SAYINGS[name]), SAYINGS))


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """One call as the called telephone saw it; ``heard`` is all it heard, without header, in the call's codec."""

    number: str
    caller_id: str
    call_id: str
    started: datetime
    answered: datetime | None
    ended: datetime
    heard: Path | None


def phone_calls(calls_file: Path, number: str | None = None) -> list[PhoneCall]:
    """The finished calls of one telephone, or of all, in the order in which they ended."""
    lines = calls_file.read_text().splitlines() if calls_file.exists() else []
    calls = [_phone_call(json.loads(line)) for line in lines]
    return [call for call in calls if number in (None, call.number)]


def _phone_call(line: dict[str, Any]) -> PhoneCall:
    return PhoneCall(
        number=line["number"],
        caller_id=line["caller_id"],
        call_id=line["call_id"],
        started=datetime.fromisoformat(line["started"]),
        answered=datetime.fromisoformat(line["answered"]) if line["answered"] else None,
        ended=datetime.fromisoformat(line["ended"]),
        heard=Path(line["heard"]) if line["heard"] else None,
    )

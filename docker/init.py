"""Run by compose before everything else: makes the secrets, once, and writes the configuration of both Asterisks.

It runs as Asterisk's user, in the group that the daemon is in too: what it writes for Asterisk is for Asterisk alone,
and the daemon may read its own settings.
"""

from __future__ import annotations

import os
import secrets
from ipaddress import IPv4Address
from pathlib import Path

from bridge.admin.asterisk_config import write_configuration
from bridge.lab.programs import Program
from bridge.lab.telephones import Carrier, render
from bridge.settings import Settings

SETTINGS = Path(os.environ["VOICEBRIDGE_CONFIG"])
ASTERISK, CARRIER = Path("/asterisk"), Path("/carrier")
SOFTPHONE_PASSWORD = CARRIER / "softphone-password"
SECRET_BYTES = 32


def main() -> None:
    os.umask(0o027)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    _write_once(
        SETTINGS,
        f'api_key = "{secrets.token_urlsafe(SECRET_BYTES)}"\n'
        f'ami_url = "ami://voicebridge:{secret}@asterisk:5038"\n'
        'trunk_uri = "sip:carrier:5060"\n',
    )
    _write_once(SOFTPHONE_PASSWORD, secrets.token_urlsafe(SECRET_BYTES))
    settings = Settings()
    write_configuration(ASTERISK / "etc", settings, complete=True)
    _write_carrier(Program([], settings.asterisk_module_dir, settings.asterisk_data_dir, ()))


def _write_carrier(program: Program) -> None:
    carrier = Carrier(
        sip_host=str(IPv4Address(0)),
        sip_port=5060,
        bridge_network="0.0.0.0/0",  # all who share the network: compose gives it no fixed addresses
        rtp_first=10000,
        rtp_last=20000,
        softphone_password=SOFTPHONE_PASSWORD.read_text(),
        state_dir=CARRIER,
        heard_dir=CARRIER / "heard",
        calls_file=CARRIER / "calls.jsonl",
    )
    render(carrier, program)


def _write_once(file: Path, text: str) -> None:
    """Another start leaves the file as it is; a start that is interrupted leaves none."""
    if file.exists():
        return
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(text)
    unfinished.replace(file)


if __name__ == "__main__":
    main()

"""What a lab consists of: its settings, its configuration files and the commands that start its parts."""

from __future__ import annotations

import hashlib
import os
import secrets
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from pydantic import SecretStr, ValidationError

from bridge.admin.asterisk_config import write_configuration
from bridge.base.errors import VoicebridgeError
from bridge.lab import telephones
from bridge.lab.ports import Ports
from bridge.lab.programs import Program
from bridge.settings import Settings, problems

ASTERISK, CARRIER, DAEMON = "asterisk", "carrier", "voicebridge"
AMI_USER = "voicebridge"
SECRETS = ("ami", "api_key", "password", "softphone")
DRAIN_SECONDS = 5
OWN_CARRIER = "sip:LAB_CARRIER"
"""In ``VOICEBRIDGE_TRUNKS``: the lab's carrier, whose port is not known before the lab runs."""


class SettingsRefused(VoicebridgeError):
    """A ``VOICEBRIDGE_*`` variable has a value that it cannot have."""

    id = "SETTINGS_REFUSED"


def new_secrets() -> dict[str, str]:
    """A random secret for every account of a lab."""
    return {name: secrets.token_urlsafe(24) for name in SECRETS}


def write_private(file: Path, text: str) -> None:
    """Replace a file that only its owner may read, in one step."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(file)


def lines(values: Mapping[str, str]) -> str:
    """``KEY=VALUE`` lines."""
    return "".join(f"{key}={value}\n" for key, value in values.items())


@dataclass(frozen=True, slots=True)
class Setup:
    """One lab. ``given`` are the ``VOICEBRIDGE_*`` variables that its user set: they win over the lab's own.

    ``daemon_ami_port`` is where the daemon looks for AMI, when it is not Asterisk's own port.
    """

    directory: Path
    ports: Ports
    secrets: Mapping[str, str]
    given: Mapping[str, str]
    daemon_ami_port: int | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """What is to be started, in this order; without a carrier when the trunk leads elsewhere."""
        return (ASTERISK, DAEMON) if "VOICEBRIDGE_TRUNK_URI" in self.given else (CARRIER, ASTERISK, DAEMON)

    @property
    def ami_url(self) -> str:
        return self._ami_url(self.ports.ami)

    def _ami_url(self, port: int) -> str:
        return f"ami://{AMI_USER}:{self.secrets['ami']}@127.0.0.1:{port}"

    @property
    def daemon_settings(self) -> dict[str, str]:
        """The daemon's ``VOICEBRIDGE_*`` variables."""
        data = Path(self.given.get("VOICEBRIDGE_DATA_DIR", self.directory / "data"))
        own = {
            "VOICEBRIDGE_HOST": "127.0.0.1",
            "VOICEBRIDGE_PORT": str(self.ports.http),
            "VOICEBRIDGE_API_KEY": self.secrets["api_key"],
            "VOICEBRIDGE_USER": "lab",
            "VOICEBRIDGE_PASSWORD": self.secrets["password"],
            "VOICEBRIDGE_DATA_DIR": str(data),
            "VOICEBRIDGE_DATABASE_URL": f"sqlite:///{data / 'voicebridge.db'}",
            "VOICEBRIDGE_TRUNK_URI": self._carrier_uri,
            "VOICEBRIDGE_ALLOW_PRIVATE_URLS": "true",
            "VOICEBRIDGE_NODE": f"lab-{hashlib.sha256(str(self.directory).encode()).hexdigest()[:8]}",
            "VOICEBRIDGE_DRAIN_SECONDS": str(DRAIN_SECONDS),
        }
        given = {name: value.replace(OWN_CARRIER, self._carrier_uri) for name, value in self.given.items()}
        return own | given | {"VOICEBRIDGE_AMI_URL": self._ami_url(self.daemon_ami_port or self.ports.ami)}

    @property
    def _carrier_uri(self) -> str:
        return f"sip:127.0.0.1:{self.ports.carrier_sip}"

    @property
    def url(self) -> str:
        """Where the daemon answers."""
        settings = self.daemon_settings
        return f"http://{settings['VOICEBRIDGE_HOST']}:{settings['VOICEBRIDGE_PORT']}"

    def configuration(self, part: str) -> Path:
        """The file that ``asterisk -C`` takes for the bridge's Asterisk or the carrier."""
        return self._carrier.configuration if part == CARRIER else self.directory / "asterisk/etc/asterisk.conf"

    def command(self, part: str, program: Program) -> list[str]:
        """What starts a part in the foreground."""
        if part == DAEMON:
            return [str(Path(sysconfig.get_path("scripts")) / "voicebridge"), "serve"]
        return [*program.command, "-C", str(self.configuration(part)), "-f"]

    def environment(self) -> dict[str, str]:
        """The environment of every part: the user's own and the daemon's settings."""
        return dict(os.environ) | self.daemon_settings

    def write_configuration(self, part: str, program: Program) -> None:
        """Write what a part reads when it starts."""
        if part == CARRIER:
            telephones.render(self._carrier, program)
            account = {
                "server": f"127.0.0.1:{self.ports.carrier_sip}",
                "user": "softphone",
                "password": self.secrets["softphone"],
            }
            write_private(self.directory / "softphone", lines(account))
        if part == ASTERISK:
            write_configuration(self.configuration(part).parent, self._asterisk(program), complete=True)

    def _asterisk(self, program: Program) -> Settings:
        rtp_first, rtp_last = self.ports.bridge_rtp
        try:
            return Settings.model_validate(
                {
                    "ami_url": SecretStr(self.ami_url),
                    "trunk_uri": self.daemon_settings["VOICEBRIDGE_TRUNK_URI"],
                    "asterisk_module_dir": program.module_dir,
                    "asterisk_data_dir": program.data_dir,
                    "asterisk_state_dir": self.directory / "asterisk",
                    "asterisk_sip_host": IPv4Address("127.0.0.1"),
                    "asterisk_sip_port": self.ports.bridge_sip,
                    "asterisk_rtp_first": rtp_first,
                    "asterisk_rtp_last": rtp_last,
                }
                | ({"trunks": self.daemon_settings["VOICEBRIDGE_TRUNKS"]} if "VOICEBRIDGE_TRUNKS" in self.given else {})
            )
        except ValidationError as error:
            raise SettingsRefused("; ".join(problems(error))) from error

    @property
    def _carrier(self) -> telephones.Carrier:
        rtp_first, rtp_last = self.ports.carrier_rtp
        return telephones.Carrier(
            sip_port=self.ports.carrier_sip,
            rtp_first=rtp_first,
            rtp_last=rtp_last,
            softphone_password=self.secrets["softphone"],
            state_dir=self.directory / "carrier",
            heard_dir=self.directory / "heard",
            calls_file=self.directory / "calls.jsonl",
        )

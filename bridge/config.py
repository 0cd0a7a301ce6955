"""Settings: environment variables ``VOICEBRIDGE_*``, and a TOML file that ``VOICEBRIDGE_CONFIG`` names."""

from __future__ import annotations

import os
import socket
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

Codec = Literal["ulaw", "alaw", "g722"]
Engine = Literal["espeak-ng", "gtts"]


class Settings(BaseSettings):
    """Everything an operator can set. ``docs/configuration.md`` has a line for each."""

    model_config = SettingsConfigDict(env_prefix="VOICEBRIDGE_", extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    api_key: SecretStr | None = None
    user: str | None = None
    password: SecretStr | None = None
    max_body_bytes: int = Field(default=10_000_000, ge=1_000)

    data_dir: Path = Path("/var/lib/voicebridge")
    database_url: SecretStr | None = None
    node: str = Field(default_factory=socket.gethostname, min_length=1, max_length=100)

    ami_url: SecretStr = SecretStr("ami://voicebridge:@127.0.0.1:5038")
    trunk: str = Field(default="trunk", pattern=r"^[A-Za-z0-9_-]{1,40}$")
    trunk_uri: str | None = None
    trunk_user: str | None = None
    trunk_password: SecretStr | None = None
    trunk_register: bool = False
    trunk_codecs: Annotated[tuple[Codec, ...], NoDecode] = ("ulaw", "alaw")
    trunk_dtmf: Literal["rfc4733", "info", "inband"] = "rfc4733"
    trunk_max_calls: int = Field(default=200, ge=1)
    trunk_calls_per_second: float = Field(default=50.0, gt=0)
    caller_id: str | None = Field(default=None, pattern=r"^[0-9]{3,15}$")

    ami_permit: IPv4Network = IPv4Network("127.0.0.0/8")
    asterisk_module_dir: Path = Path("/usr/lib/asterisk/modules")
    asterisk_data_dir: Path = Path("/usr/share/asterisk")
    asterisk_state_dir: Path = Path("/var/lib/voicebridge/asterisk")
    asterisk_sip_host: IPv4Address = IPv4Address("0.0.0.0")  # noqa: S104 - it talks to the trunk
    asterisk_sip_port: int = Field(default=5060, ge=1, le=65535)
    asterisk_rtp_first: int = Field(default=10000, ge=1024, le=65534)
    asterisk_rtp_last: int = Field(default=20000, ge=1025, le=65535)

    speech_engines: Annotated[tuple[Engine, ...], NoDecode] = ("espeak-ng",)
    allow_private_urls: bool = False
    webhook_secret: SecretStr | None = None
    recording_days: int = Field(default=60, ge=1)
    drain_seconds: float = Field(default=60.0, ge=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("trunk_codecs", "speech_engines", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.resolve()

    @property
    def speech_dir(self) -> Path:
        """The folder of the speech that Asterisk plays."""
        return self.data_dir / "speech"

    @property
    def store_url(self) -> str:
        """The database's SQLAlchemy URL; SQLite in the data folder when none is set."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'voicebridge.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = os.environ.get("VOICEBRIDGE_CONFIG")
        toml = (TomlConfigSettingsSource(settings_cls, Path(file)),) if file else ()
        return (init_settings, env_settings, *toml)

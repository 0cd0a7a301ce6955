"""Settings: environment variables ``VOICEBRIDGE_*``, and a TOML file that ``VOICEBRIDGE_CONFIG`` names.

Each value is also checked by the code that will read it later, so that nothing starts with settings that cannot work.
"""

from __future__ import annotations

import json
import os
import socket
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bridge.base.errors import WRONG_SETTINGS, VoicebridgeError
from bridge.speech.engine_registry import DEFAULT_ENGINES, ENGINE_NAMES
from bridge.telephony.formats import Formats, TrunkFormat
from bridge.telephony.numbers import parse_sender

if TYPE_CHECKING:
    from bridge.base.objects import Bucket

Codec = Literal["ulaw", "alaw", "g722"]
Dtmf = Literal["rfc4733", "info", "inband"]

_TRUNK_NAME = r"^[A-Za-z0-9_-]{1,40}$"
_SIP_URI = r"^sip:[A-Za-z0-9.-]+(:[0-9]{1,5})?$"
_S3_BUCKET = r"^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$"
_S3_ENDPOINT = r"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$"
_PUBLIC_URL = (
    r"^https?://([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?"
    r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*/?$"
)
_S3_REGION = r"^[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"

_ACCOUNT = "default"
"""The account of the credentials in the settings."""

_MOST_DAYS = 36_500
_MOST_CALLS = 1_000_000
_SLOWEST = 0.001


class SettingsFileInvalid(VoicebridgeError):
    """The file that ``VOICEBRIDGE_CONFIG`` names cannot be read, or is no TOML."""

    id = "SETTINGS_FILE_INVALID"
    exit_status = WRONG_SETTINGS


def _known_engine(name: Any) -> Any:
    if name not in ENGINE_NAMES:
        *first, last = map(repr, ENGINE_NAMES)
        raise ValueError(f"Input should be {', '.join(first)} or {last}")
    return name


EngineName = Annotated[str, BeforeValidator(_known_engine)]
Prefix = Annotated[str, Field(pattern=r"^[0-9]{0,15}$")]
NumberFormat = dict[Prefix, Annotated[str, Field(pattern=r"^\+?[0-9*#]{0,16}$")]]
CallerIdFormat = dict[Prefix, Annotated[str, Field(pattern=r"^\+?[0-9]{0,16}$")]]


class TrunkSettings(BaseModel):
    """One trunk: where it is, which numbers it leads to, and how much it takes over all nodes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="trunk", pattern=_TRUNK_NAME)
    uri: str | None = Field(default=None, pattern=_SIP_URI)
    user: str | None = None
    password: SecretStr | None = None
    register_there: bool = Field(default=False, alias="register")
    codecs: tuple[Codec, ...] = ("ulaw", "alaw")
    dtmf: Dtmf = "rfc4733"
    prefixes: tuple[Prefix, ...] = ("",)
    number_format: NumberFormat = Field(default_factory=dict)
    caller_id_format: CallerIdFormat = Field(default_factory=dict)
    max_calls: int = Field(default=200, ge=1, le=_MOST_CALLS)
    calls_per_second: float = Field(default=50.0, ge=_SLOWEST, allow_inf_nan=False)


def problems(error: ValidationError) -> list[str]:
    """What is wrong with the settings, a line each: ``VOICEBRIDGE_TRUNKS[0].max_calls: ...``. No value is told."""
    return [f"{_setting(problem['loc'])}{problem['msg'].removeprefix('Value error, ')}" for problem in error.errors()]


def _setting(location: tuple[int | str, ...]) -> str:
    if not location:
        return ""  # the problem is about several settings, which its text names
    name, *members = location
    inside = "".join(f"[{member}]" if isinstance(member, int) else f".{member}" for member in members)
    return f"VOICEBRIDGE_{str(name).upper()}{inside}: "


@contextmanager
def _as_its_reader_says() -> Iterator[None]:
    """A setting is refused by the one who will read it."""
    try:
        yield
    except VoicebridgeError as error:
        raise ValueError(str(error)) from None


class Settings(BaseSettings):
    """Everything an operator can set. ``docs/reference/configuration.md`` has a line for each."""

    # The default address of AMI has no secret and would be refused: commands that do not talk to Asterisk need none.
    model_config = SettingsConfigDict(env_prefix="VOICEBRIDGE_", extra="forbid", validate_default=False)

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = Field(default=None, pattern=_PUBLIC_URL)
    api_key: SecretStr | None = None
    user: str | None = Field(default=None, pattern="^[^:]*$")
    password: SecretStr | None = None
    max_body_bytes: int = Field(default=10_000_000, ge=1_000)

    data_dir: Path = Path("/var/lib/voicebridge")
    database_url: SecretStr | None = None
    node: str = Field(default_factory=socket.gethostname, min_length=1, max_length=100)

    ami_url: SecretStr = SecretStr("ami://voicebridge:@127.0.0.1:5038")
    trunks: Annotated[tuple[TrunkSettings, ...], NoDecode] = ()
    trunk: str = Field(default="trunk", pattern=_TRUNK_NAME)
    trunk_uri: str | None = Field(default=None, pattern=_SIP_URI)
    trunk_user: str | None = None
    trunk_password: SecretStr | None = None
    trunk_register: bool = False
    trunk_codecs: Annotated[tuple[Codec, ...], NoDecode] = ("ulaw", "alaw")
    trunk_dtmf: Dtmf = "rfc4733"
    trunk_number_format: NumberFormat = Field(default_factory=dict)
    trunk_caller_id_format: CallerIdFormat = Field(default_factory=dict)
    trunk_max_calls: int = Field(default=200, ge=1, le=_MOST_CALLS)
    trunk_calls_per_second: float = Field(default=50.0, ge=_SLOWEST, allow_inf_nan=False)
    caller_id: Annotated[str, AfterValidator(parse_sender)] | None = None

    ami_permit: IPv4Network = IPv4Network("127.0.0.0/8")
    asterisk_module_dir: Path = Path("/usr/lib/asterisk/modules")
    asterisk_data_dir: Path = Path("/usr/share/asterisk")
    asterisk_state_dir: Path = Path("/var/lib/voicebridge/asterisk")
    asterisk_sip_host: IPv4Address = IPv4Address("0.0.0.0")  # noqa: S104 - it talks to the trunk
    asterisk_sip_port: int = Field(default=5060, ge=1, le=65535)
    asterisk_rtp_first: int = Field(default=10000, ge=1024, le=65534)
    asterisk_rtp_last: int = Field(default=20000, ge=1025, le=65535)

    speech_engines: Annotated[tuple[EngineName, ...], NoDecode] = DEFAULT_ENGINES
    allow_private_urls: bool = False
    webhook_secret: SecretStr | None = None
    message_days: int = Field(default=90, ge=3, le=_MOST_DAYS)
    recording_days: int = Field(default=60, ge=1, le=_MOST_DAYS)
    cdr_days: int = Field(default=365, ge=1, le=_MOST_DAYS)
    speech_cache_bytes: int = Field(default=2_000_000_000, ge=0)

    s3_bucket: str | None = Field(default=None, pattern=_S3_BUCKET)
    s3_endpoint: str | None = Field(default=None, pattern=_S3_ENDPOINT)
    s3_prefix: str = ""
    s3_region: str = Field(default="us-east-1", pattern=_S3_REGION)
    s3_access_key: SecretStr | None = None
    s3_secret_key: SecretStr | None = None

    drain_seconds: float = Field(default=60.0, ge=0, allow_inf_nan=False)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("trunk_codecs", "speech_engines", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value

    @field_validator("trunks", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    # What reads a setting later checks it here. It is imported only then: other commands start faster without it.

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        from bridge.asterisk.journal import Journal  # noqa: PLC0415

        folder = value.resolve()
        with _as_its_reader_says():
            Journal(folder)
        return folder

    @field_validator("public_url")
    @classmethod
    def _without_a_slash_at_the_end(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if urlsplit(value).port == 0:
            raise ValueError("there is no port 0")
        return value.removesuffix("/")

    @field_validator("ami_url")
    @classmethod
    def _leads_to_asterisks(cls, value: SecretStr) -> SecretStr:
        from bridge.asterisk.ami.address import ami_address  # noqa: PLC0415

        with _as_its_reader_says():
            for url in _parts(value):
                ami_address(url.get_secret_value())
        return value

    @field_validator("database_url")
    @classmethod
    def _leads_to_a_database(cls, value: SecretStr | None) -> SecretStr | None:
        from bridge.store.engine import database_url  # noqa: PLC0415

        if value is not None:
            with _as_its_reader_says():
                database_url(value.get_secret_value())
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _signs(cls, value: SecretStr | None) -> SecretStr | None:
        from bridge.reports.signature import signing_key  # noqa: PLC0415

        if value is not None:
            with _as_its_reader_says():
                signing_key(value.get_secret_value())
        return value

    @field_validator("trunks")
    @classmethod
    def _differ(cls, trunks: tuple[TrunkSettings, ...]) -> tuple[TrunkSettings, ...]:
        if len({trunk.name for trunk in trunks}) < len(trunks):
            raise ValueError("two trunks have the same name")
        return trunks

    @model_validator(mode="after")
    def _bucket_is_whole(self) -> Settings:
        if self.s3_bucket is None and (self.s3_endpoint or self.s3_access_key or self.s3_secret_key):
            raise ValueError("object storage needs VOICEBRIDGE_S3_BUCKET")
        if (self.s3_access_key is None) != (self.s3_secret_key is None):
            raise ValueError("VOICEBRIDGE_S3_ACCESS_KEY and VOICEBRIDGE_S3_SECRET_KEY are given together")
        return self

    @property
    def all_trunks(self) -> tuple[TrunkSettings, ...]:
        """Those of ``trunks``; without any, the one that the ``trunk_*`` settings describe."""
        return self.trunks or (
            TrunkSettings(
                name=self.trunk,
                uri=self.trunk_uri,
                user=self.trunk_user,
                password=self.trunk_password,
                register=self.trunk_register,
                codecs=self.trunk_codecs,
                dtmf=self.trunk_dtmf,
                number_format=self.trunk_number_format,
                caller_id_format=self.trunk_caller_id_format,
                max_calls=self.trunk_max_calls,
                calls_per_second=self.trunk_calls_per_second,
            ),
        )

    @property
    def api_keys(self) -> dict[str, str]:
        """The one that is set, if there is one, with its account."""
        return {self.api_key.get_secret_value(): _ACCOUNT} if self.api_key else {}

    @property
    def users(self) -> dict[tuple[str, str], str]:
        """The name and the password that are set, if both are, with their account."""
        return {(self.user, self.password.get_secret_value()): _ACCOUNT} if self.user and self.password else {}

    @property
    def formats(self) -> Formats:
        """What each trunk is sent."""
        trunks = {trunk.name: TrunkFormat(trunk.number_format, trunk.caller_id_format) for trunk in self.all_trunks}
        return Formats(trunks, self.caller_id)

    @property
    def url_for_receivers(self) -> str:
        """Where receivers of pushed reports find the API; "" when it listens at every address and nobody said which."""
        from yarl import URL  # noqa: PLC0415

        if self.public_url is not None:
            return self.public_url
        if self.port == 0 or _is_every_address(self.host):
            return ""
        return str(URL.build(scheme="http", host=self.host, port=self.port))

    @property
    def all_codecs(self) -> tuple[Codec, ...]:
        """The codecs of all trunks: speech is kept in each."""
        return tuple(dict.fromkeys(codec for trunk in self.all_trunks for codec in trunk.codecs))

    @property
    def ami_urls(self) -> tuple[SecretStr, ...]:
        """The Asterisks of this node."""
        return _parts(self.ami_url)

    @property
    def bucket(self) -> Bucket | None:
        """The one of object storage; None when all is kept on the disk."""
        from bridge.base.objects import Bucket  # noqa: PLC0415

        if self.s3_bucket is None:
            return None
        access_key, secret_key = self.s3_access_key, self.s3_secret_key
        return Bucket(
            name=self.s3_bucket,
            endpoint=self.s3_endpoint,
            prefix=self.s3_prefix,
            region=self.s3_region,
            access_key=None if access_key is None else access_key.get_secret_value(),
            secret_key=None if secret_key is None else secret_key.get_secret_value(),
        )

    @property
    def speech_dir(self) -> Path:
        """The folder of the speech that Asterisk plays."""
        return self.data_dir / "speech"

    @property
    def journal_dir(self) -> Path:
        """The folder in which Asterisk notes what it dials."""
        return self.data_dir / "journal"

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
        in_file = (InitSettingsSource(settings_cls, _read_toml(Path(file))),) if file else ()
        return (init_settings, env_settings, *in_file)


def _is_every_address(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:  # a name
        return False


def _parts(urls: SecretStr) -> tuple[SecretStr, ...]:
    return tuple(SecretStr(url.strip()) for url in urls.get_secret_value().split(","))


def _read_toml(file: Path) -> dict[str, Any]:
    """Raises SettingsFileInvalid, which says where in the file."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsFileInvalid(f"VOICEBRIDGE_CONFIG: {file}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsFileInvalid(f"VOICEBRIDGE_CONFIG: {file}: {error}") from error

"""Configuration of Asterisk: its files, written from the templates in ``asterisk-conf/``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from string import Template

from bridge.base.errors import WRONG_SETTINGS, VoicebridgeError

DROP_IN = "voicebridge"
"""The folder of the drop-in set, below Asterisk's own configuration folder."""

PROBE = ".probe"
"""Added to a trunk's name, the name of the PJSIP endpoint that sends OPTIONS to the trunk."""

_SIP_URI = r"sip:(?P<host>[A-Za-z0-9.-]+)(:\d{1,5})?"


class UnsafeSetting(VoicebridgeError):
    """A setting that cannot stand in a configuration file of Asterisk."""

    id = "UNSAFE_SETTING"
    exit_status = WRONG_SETTINGS


@dataclass(frozen=True, slots=True)
class Registration:
    """Where Asterisk registers, and as whom (RFC 3261, 10): ``sip:host[:port]`` and ``sip:user@host``."""

    server_uri: str
    client_uri: str


@dataclass(frozen=True, slots=True)
class Account:
    """The credentials of a trunk, and the registration if it wants one."""

    user: str
    password: str
    registration: Registration | None = None


@dataclass(frozen=True, slots=True)
class Trunk:
    """Where calls go: ``uri`` is ``sip:host[:port]``, over UDP. ``name`` is that of its PJSIP endpoint.

    ``codecs`` are Asterisk's names in the order of preference; ``dtmf_mode`` is one of those of ``res_pjsip``, but
    never ``auto``, which doubles or loses keys.
    """

    name: str
    uri: str
    codecs: tuple[str, ...] = ("ulaw", "alaw")
    dtmf_mode: str = "rfc4733"
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Manager:
    """The AMI account of the daemon. ``permit`` is the network, in CIDR form, that may log in with it."""

    secret: str
    user: str = "voicebridge"
    host: str = "127.0.0.1"
    port: int = 5038
    permit: str = "127.0.0.0/8"


@dataclass(frozen=True, slots=True)
class AsteriskSettings:
    """One whole Asterisk: its trunks and AMI account, its sockets and its folders.

    ``module_dir`` and ``data_dir`` belong to the program; everything Asterisk writes goes below ``state_dir``.
    """

    trunks: Sequence[Trunk]
    manager: Manager
    module_dir: Path
    data_dir: Path
    state_dir: Path
    sip_host: str = "127.0.0.1"
    sip_port: int = 5060
    rtp_first: int = 10000
    rtp_last: int = 20000


def render(directory: Path, settings: AsteriskSettings) -> None:
    """Write a complete configuration: ``asterisk -C DIRECTORY/asterisk.conf`` starts it.

    Files with secrets are readable by their owner only. Raises ``UnsafeSetting``.
    """
    values = _escaped(
        {
            "etc_dir": directory.resolve(),
            "module_dir": settings.module_dir,
            "data_dir": settings.data_dir,
            "state_dir": settings.state_dir.resolve(),
            "sip_host": settings.sip_host,
            "sip_port": settings.sip_port,
            "rtp_first": settings.rtp_first,
            "rtp_last": settings.rtp_last,
        }
    )
    files = _filled_in("complete", values | _manager_values(settings.manager))
    _write(directory, files | _drop_in(settings.trunks, settings.manager))
    for below in ("run", "log", "spool", "cache", "keys"):
        (settings.state_dir / below).mkdir(parents=True, exist_ok=True)


def render_drop_in(directory: Path, trunks: Sequence[Trunk], manager: Manager) -> None:
    """Write ``DIRECTORY/voicebridge/``, the files that an existing Asterisk includes; its README says where.

    Raises ``UnsafeSetting``.
    """
    _write(directory, _drop_in(trunks, manager))


def _drop_in(trunks: Sequence[Trunk], manager: Manager) -> dict[str, str]:
    common = _filled_in("drop-in", _manager_values(manager))
    of_trunks = {f"pjsip-trunk-{trunk.name}.conf": _trunk_file(trunk) for trunk in trunks}
    return {f"{DROP_IN}/{name}": text for name, text in (common | of_trunks).items()}


def _trunk_file(trunk: Trunk) -> str:
    """A trunk's file, of the parts for which it has all values: it may have no account, or no registration."""
    values = _trunk_values(trunk)
    parts = (Template(source.read_text()) for source in _sources("trunk"))
    return "".join(part.substitute(values) for part in parts if values.keys() >= set(part.get_identifiers()))


def _manager_values(manager: Manager) -> dict[str, str]:
    _require(r"(?!general$)[A-Za-z0-9_-]+", manager.user, "the manager's user")
    _require(r".+", manager.secret, "the manager's secret")
    values = {
        "ami_host": manager.host,
        "ami_port": manager.port,
        "ami_user": manager.user,
        "ami_secret": manager.secret,
        "ami_permit": ip_network(manager.permit, strict=False),
    }
    return _escaped(values)


def _trunk_values(trunk: Trunk) -> dict[str, str]:
    _require(r"[A-Za-z0-9_-]{1,40}", trunk.name, "the trunk's name")
    _require(r"rfc4733|inband|info", trunk.dtmf_mode, "the trunk's DTMF mode")
    codecs = ",".join(trunk.codecs)
    _require(r"[a-z0-9]+(,[a-z0-9]+)*", codecs, "the trunk's list of codecs")
    values: dict[str, object] = {
        "trunk": trunk.name,
        "trunk_uri": trunk.uri,
        "trunk_host": _require(_SIP_URI, trunk.uri, "the trunk's address (sip:host or sip:host:port)")["host"],
        "trunk_codecs": codecs,
        "trunk_dtmf_mode": trunk.dtmf_mode,
    }
    if trunk.account:
        values |= {"trunk_user": trunk.account.user, "trunk_password": trunk.account.password}
    if trunk.account and (registration := trunk.account.registration):
        _require(_SIP_URI, registration.server_uri, "the registrar (sip:host or sip:host:port)")
        values |= {"server_uri": registration.server_uri, "client_uri": registration.client_uri}
    return _escaped(values)


def _require(pattern: str, value: str, what: str) -> re.Match[str]:
    found = re.fullmatch(pattern, value)
    if not found:
        raise UnsafeSetting(f"{what} is not of its form: it must match {pattern}")
    return found


def _filled_in(variant: str, values: dict[str, str]) -> dict[str, str]:
    """The files of a variant by name; templates (``.in``) have their values filled in."""
    return {
        source.name.removesuffix(".in"): Template(source.read_text()).substitute(values)
        if source.suffix == ".in"
        else source.read_text()
        for source in _sources(variant)
    }


def _write(directory: Path, files: dict[str, str]) -> None:
    """Write files that only their owner may read; those of trunks that are there no more are removed."""
    (directory / DROP_IN).mkdir(parents=True, exist_ok=True)
    for former in (directory / DROP_IN).glob("pjsip*.conf"):
        former.unlink()
    for name, text in files.items():
        target = directory / name
        target.unlink(missing_ok=True)
        target.touch(mode=0o600, exist_ok=False)
        target.write_text(text, encoding="utf-8")


def _escaped(values: dict[str, object]) -> dict[str, str]:
    """Values as Asterisk reads them back: a semicolon begins a comment unless a backslash stands before it."""
    for name, value in values.items():
        if str(value) != str(value).strip() or not str(value).isprintable():
            raise UnsafeSetting(f"{name} begins or ends with a space, or holds a control character")
    return {name: str(value).replace(";", "\\;") for name, value in values.items()}


def _sources(variant: str) -> list[Path]:
    """``asterisk-conf/`` lies inside the package when it is installed, beside it in a checkout."""
    installed, checkout = Path(__file__).parent / "conf", Path(__file__).parents[2] / "asterisk-conf"
    return sorted(((installed if installed.is_dir() else checkout) / variant).iterdir())

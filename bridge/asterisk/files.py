"""Asterisk's configuration files, written from the templates in ``asterisk-conf/``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from string import Template

from bridge.errors import VoicebridgeError

DROP_IN = "voicebridge"
"""The folder of the drop-in set, below Asterisk's own configuration folder."""

_SIP_URI = r"sip:(?P<host>[A-Za-z0-9.-]+)(:\d{1,5})?"


class UnsafeSetting(VoicebridgeError):
    """A setting that cannot stand in a configuration file of Asterisk."""

    id = "UNSAFE_SETTING"


@dataclass(frozen=True, slots=True)
class Account:
    """The credentials of the trunk. With a ``registrar`` (``sip:host[:port]``) Asterisk registers there."""

    user: str
    password: str
    registrar: str | None = None


@dataclass(frozen=True, slots=True)
class Trunk:
    """Where calls go: ``uri`` is ``sip:host[:port]``, over UDP.

    ``codecs`` are Asterisk's names in the order of preference; ``dtmf_mode`` is one of ``res_pjsip``, never ``auto``,
    which doubles or loses keys.
    """

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
    """One whole Asterisk: its trunk and AMI account, its sockets and its folders.

    ``module_dir`` and ``data_dir`` belong to the program; everything Asterisk writes goes below ``state_dir``.
    """

    trunk: Trunk
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
    for below in ("run", "log", "spool", "cache", "keys"):
        (settings.state_dir / below).mkdir(parents=True, exist_ok=True)
    values = {
        "etc_dir": directory.resolve(),
        "module_dir": settings.module_dir,
        "data_dir": settings.data_dir,
        "state_dir": settings.state_dir.resolve(),
        "sip_host": settings.sip_host,
        "sip_port": settings.sip_port,
        "rtp_first": settings.rtp_first,
        "rtp_last": settings.rtp_last,
        **_manager_values(settings.manager),
    }
    _write("complete", directory, values)
    render_drop_in(directory, settings.trunk, settings.manager)


def render_drop_in(directory: Path, trunk: Trunk, manager: Manager) -> None:
    """Write ``DIRECTORY/voicebridge/``, the files that an existing Asterisk includes; its README says where.

    Raises ``UnsafeSetting``.
    """
    _write("drop-in", directory / DROP_IN, _manager_values(manager) | _trunk_values(trunk))


def _manager_values(manager: Manager) -> dict[str, object]:
    _require(r"(?!general$)[A-Za-z0-9_-]+", manager.user, "the manager's user")
    _require(r".+", manager.secret, "the manager's secret")
    return {
        "ami_host": manager.host,
        "ami_port": manager.port,
        "ami_user": manager.user,
        "ami_secret": manager.secret,
        "ami_permit": ip_network(manager.permit, strict=False),
    }


def _trunk_values(trunk: Trunk) -> dict[str, object]:
    _require(r"rfc4733|inband|info", trunk.dtmf_mode, "the trunk's DTMF mode")
    codecs = ",".join(trunk.codecs)
    _require(r"[a-z0-9]+(,[a-z0-9]+)*", codecs, "the trunk's list of codecs")
    values: dict[str, object] = {
        "trunk_uri": trunk.uri,
        "trunk_host": _require(_SIP_URI, trunk.uri, "the trunk's address (sip:host or sip:host:port)")["host"],
        "trunk_codecs": codecs,
        "trunk_dtmf_mode": trunk.dtmf_mode,
    }
    if trunk.account:
        values |= {"trunk_user": trunk.account.user, "trunk_password": trunk.account.password}
    if trunk.account and trunk.account.registrar:
        registrar = _require(_SIP_URI, trunk.account.registrar, "the registrar (sip:host or sip:host:port)")
        values |= {"trunk_registrar": trunk.account.registrar, "registrar_host": registrar["host"]}
    return values


def _require(pattern: str, value: str, what: str) -> re.Match[str]:
    found = re.fullmatch(pattern, value)
    if not found:
        raise UnsafeSetting(f"{what} is not of its form: it must match {pattern}")
    return found


def _write(variant: str, directory: Path, values: dict[str, object]) -> None:
    """Copy the files of a variant; a template (``.in``) is written when all its values are there."""
    safe = {name: _escaped(name, str(value)) for name, value in values.items()}
    directory.mkdir(parents=True, exist_ok=True)
    for source in _sources(variant):
        text, target = source.read_text(), directory / source.name.removesuffix(".in")
        if source.suffix == ".in":
            template = Template(text)
            if not safe.keys() >= set(template.get_identifiers()):
                target.unlink(missing_ok=True)
                continue
            text = template.substitute(safe)
        _write_private(target, text)


def _escaped(name: str, value: str) -> str:
    """A value as Asterisk reads it back: a semicolon begins a comment unless a backslash stands before it."""
    if value != value.strip() or not value.isprintable():
        raise UnsafeSetting(f"{name} begins or ends with a space, or holds a control character")
    return value.replace(";", "\\;")


def _write_private(target: Path, text: str) -> None:
    target.unlink(missing_ok=True)
    target.touch(mode=0o600, exist_ok=False)
    target.write_text(text, encoding="utf-8")


def _sources(variant: str) -> list[Path]:
    """``asterisk-conf/`` lies inside the package when it is installed, beside it in a checkout."""
    installed, checkout = Path(__file__).parent / "conf", Path(__file__).parents[2] / "asterisk-conf"
    return sorted(((installed if installed.is_dir() else checkout) / variant).iterdir())

"""``voicebridge asterisk-config``: writes Asterisk's configuration files from the settings."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from urllib.parse import urlsplit

from bridge.asterisk.ami.address import AmiAddress, ami_address
from bridge.asterisk.configuration import (
    Account,
    AsteriskSettings,
    Manager,
    Registration,
    Trunk,
    render,
    render_drop_in,
)
from bridge.base.errors import WRONG_SETTINGS, VoicebridgeError
from bridge.settings import Settings, TrunkSettings

EVERY_ADDRESS = str(IPv4Address(0))


class SettingMissing(VoicebridgeError):
    """A setting without a default that is needed for what was asked."""

    id = "SETTING_MISSING"
    exit_status = WRONG_SETTINGS


class NoSuchAsterisk(VoicebridgeError):
    """Which of several Asterisks is meant was not said, or it is none of them."""

    id = "NO_SUCH_ASTERISK"


def write_configuration(directory: Path, settings: Settings, *, complete: bool, asterisk: str | None = None) -> None:
    """Write the configuration files that an Asterisk needs for these settings.

    ``complete`` writes a whole configuration, which ``asterisk -C DIRECTORY/asterisk.conf`` starts. Otherwise
    ``DIRECTORY/voicebridge/`` is written, for an existing configuration to include; a trunk without an address is then
    one that this Asterisk has already. ``asterisk`` says which of several is meant: ``host:port`` of its AMI. Raises
    ``SettingMissing``, ``NoSuchAsterisk``, ``AmiAddressInvalid`` and ``UnsafeSetting``, and nothing is written then.
    """
    manager = _manager(settings, asterisk)
    if not complete:
        trunks = [_trunk(trunk) for trunk in settings.all_trunks if trunk.uri]
        render_drop_in(directory, trunks, manager)
        return
    render(
        directory,
        AsteriskSettings(
            trunks=[_trunk(trunk) for trunk in settings.all_trunks],
            manager=manager,
            module_dir=settings.asterisk_module_dir,
            data_dir=settings.asterisk_data_dir,
            state_dir=settings.asterisk_state_dir,
            sip_host=str(settings.asterisk_sip_host),
            sip_port=settings.asterisk_sip_port,
            rtp_first=settings.asterisk_rtp_first,
            rtp_last=settings.asterisk_rtp_last,
        ),
    )


def registrations(settings: Settings) -> dict[str, Registration | None]:
    """All trunks by name, each with the registration that Asterisk is to keep for it, or None."""
    return {trunk.name: _registration(trunk) for trunk in settings.all_trunks}


def hosts(settings: Settings) -> dict[str, str]:
    """The host of each trunk whose address is in the settings, by the trunk's name."""
    return {trunk.name: _host(trunk.uri) for trunk in settings.all_trunks if trunk.uri}


def _host(uri: str) -> str:
    return urlsplit(uri.replace("sip:", "sip://", 1)).hostname or ""


def _registration(trunk: TrunkSettings) -> Registration | None:
    if not (trunk.register_there and trunk.uri and trunk.user):
        return None
    return Registration(server_uri=trunk.uri, client_uri=f"sip:{trunk.user}@{_host(trunk.uri)}")


def _trunk(trunk: TrunkSettings) -> Trunk:
    if trunk.uri is None:
        raise SettingMissing(
            f"trunk {trunk.name} needs its address, sip:host or sip:host:port:"
            " set VOICEBRIDGE_TRUNK_URI, or uri in VOICEBRIDGE_TRUNKS"
        )
    account = None
    if trunk.user and trunk.password:
        account = Account(trunk.user, trunk.password.get_secret_value(), _registration(trunk))
    elif trunk.register_there:
        raise SettingMissing(
            f"trunk {trunk.name} needs a user and a password to register:"
            " set VOICEBRIDGE_TRUNK_USER and VOICEBRIDGE_TRUNK_PASSWORD, or user and password in VOICEBRIDGE_TRUNKS"
        )
    return Trunk(trunk.name, trunk.uri, trunk.codecs, trunk.dtmf, account)


def _manager(settings: Settings, asterisk: str | None) -> Manager:
    address = _chosen([ami_address(url.get_secret_value()) for url in settings.ami_urls], asterisk)
    return Manager(
        user=address.user,
        secret=address.secret,
        host=_listening_address(address.host),
        port=address.port,
        permit=str(settings.ami_permit),
    )


def _chosen(addresses: list[AmiAddress], asterisk: str | None) -> AmiAddress:
    named = {address.name: address for address in addresses}
    if asterisk is None and len(named) == 1:
        return addresses[0]
    if asterisk not in named:
        raise NoSuchAsterisk(f"say which Asterisk of VOICEBRIDGE_AMI_URL is meant: {' or '.join(named)}")
    return named[asterisk]


def _listening_address(host: str) -> str:
    """The IPv4 address at which AMI has to listen, so that the daemon reaches it at ``host``."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(IPv4Address(host))
    except AddressValueError:
        return EVERY_ADDRESS  # what a host name resolves to is known only on Asterisk's machine

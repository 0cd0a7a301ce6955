"""``voicebridge asterisk-config``: the settings as configuration files of Asterisk."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bridge.asterisk.files import Account, AsteriskSettings, Manager, Trunk, render, render_drop_in
from bridge.config import Settings
from bridge.errors import VoicebridgeError

AMI_PORT = 5038
EVERY_ADDRESS = str(IPv4Address(0))


class SettingMissing(VoicebridgeError):
    """A setting without a default that is needed for what was asked."""

    id = "SETTING_MISSING"


def write_configuration(directory: Path, settings: Settings, *, complete: bool) -> None:
    """Write what an Asterisk needs for these settings.

    ``complete`` is a whole configuration, which ``asterisk -C DIRECTORY/asterisk.conf`` starts; otherwise
    ``DIRECTORY/voicebridge/`` is written, to be included by an existing one. Raises ``SettingMissing`` and
    ``UnsafeSetting``.
    """
    trunk, manager = _trunk(settings), _manager(settings)
    if not complete:
        render_drop_in(directory, trunk, manager)
        return
    render(
        directory,
        AsteriskSettings(
            trunk=trunk,
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


def _trunk(settings: Settings) -> Trunk:
    if settings.trunk_uri is None:
        raise SettingMissing("set VOICEBRIDGE_TRUNK_URI to the trunk's address: sip:host or sip:host:port")
    account = None
    if settings.trunk_user and settings.trunk_password:
        registrar = settings.trunk_uri if settings.trunk_register else None
        account = Account(settings.trunk_user, settings.trunk_password.get_secret_value(), registrar)
    elif settings.trunk_register:
        raise SettingMissing("a registration needs VOICEBRIDGE_TRUNK_USER and VOICEBRIDGE_TRUNK_PASSWORD")
    return Trunk(settings.trunk_uri, settings.trunk_codecs, settings.trunk_dtmf, account)


def _manager(settings: Settings) -> Manager:
    address = urlsplit(settings.ami_url.get_secret_value())
    if not address.username or not address.password or not address.hostname:
        raise SettingMissing("set VOICEBRIDGE_AMI_URL to ami://user:secret@host:port, with the secret of your choice")
    return Manager(
        user=unquote(address.username),
        secret=unquote(address.password),
        host=_listening_address(address.hostname),
        port=address.port or AMI_PORT,
        permit=str(settings.ami_permit),
    )


def _listening_address(host: str) -> str:
    """Where Asterisk listens, so that the daemon reaches it at ``host``."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(IPv4Address(host))
    except AddressValueError:
        return EVERY_ADDRESS  # which of its addresses a name means is decided on Asterisk's machine

"""``voicebridge doctor``: checks all that the daemon needs, and says what to do about each check that fails."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Mapping

import structlog

from bridge.admin.asterisk_config import hosts, registrations
from bridge.admin.doctor_places import (
    Doubt,
    Trouble,
    credentials,
    data_folder,
    database,
    journal_folder,
    object_storage,
    public_address,
    speech_folder,
)
from bridge.asterisk.ami.address import AmiAddressInvalid, ami_address
from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.configuration import Registration
from bridge.asterisk.trunks import TrunkWatch
from bridge.base.children import child
from bridge.base.errors import VoicebridgeError
from bridge.settings import Settings
from bridge.speech.engine_registry import build_engines, engine_entry
from bridge.speech.errors import SpeechError
from bridge.telephony.trunks import TrunkStanding

PORT_SECONDS = 5.0
FFMPEG_SECONDS = 10.0
TRUNK_TRIES = 9
TRUNK_PAUSE_SECONDS = 0.5
LOGIN_SECONDS = 4.2
"""Ends within a pause between two tries of the link, when the reason of the last failure is known."""


async def examine(settings: Settings) -> bool:
    """Print a line for each check, with a remedy for each that failed; return whether none did. No secret is shown.

    A warning is printed with a remedy too, and is no failure.
    """
    _silence_logs()
    healthy = [
        await _tell("API credentials", credentials(settings)),
        await _tell("data folder", data_folder(settings)),
        await _tell("speech folder", speech_folder(settings)),
        await _tell("journal folder", journal_folder(settings)),
        await _tell("database", database(settings)),
        await _tell("public address", public_address(settings)),
        await _tell("ffmpeg", _ffmpeg()),
    ]
    if bucket := settings.bucket:
        healthy.append(await _tell("object storage", object_storage(bucket)))
    healthy += [await _tell(f"speech engine {name}", _engine(name)) for name in settings.speech_engines]
    healthy += [
        await _asterisk(url.get_secret_value(), registrations(settings), hosts(settings)) for url in settings.ami_urls
    ]
    return all(healthy)


def _silence_logs() -> None:
    """Switch logs off: the checks print each problem once, with a remedy."""
    logging.getLogger("bridge").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


async def _tell(what: str, check: Awaitable[str]) -> bool:
    try:
        print(f"ok      {what}: {await check}")
    except Doubt as doubt:
        print(f"warning {what}: {doubt}\n        {doubt.remedy}")
    except Trouble as trouble:
        print(f"failed  {what}: {trouble}\n        {trouble.remedy}")
        return False
    return True


async def _ffmpeg() -> str:
    remedy = "Install the package ffmpeg: without it audio files and compressed speech cannot be read."
    try:
        async with child("ffmpeg", "-version") as ffmpeg, asyncio.timeout(FFMPEG_SECONDS):
            told, _ = await ffmpeg.communicate()
    except TimeoutError:
        raise Trouble(f"no answer within {FFMPEG_SECONDS:.0f} s", remedy) from None
    except OSError as error:
        raise Trouble(f"it cannot be started: {error.strerror}", remedy) from error
    if ffmpeg.returncode:
        raise Trouble(f"it ended with status {ffmpeg.returncode}", remedy)
    return told.decode(errors="replace").partition(" Copyright")[0]


async def _engine(name: str) -> str:
    [engine], remedy = build_engines([name]), engine_entry(name).remedy
    began = time.monotonic()
    try:
        await engine.start()
        async with asyncio.timeout(engine.timeout):
            audio = await engine.synthesize("one", engine.voices("en")[0], 1.0)
    except SpeechError as error:
        raise Trouble(str(error), remedy) from error
    except TimeoutError:
        raise Trouble(f"no answer within {engine.timeout:.0f} s", remedy) from None
    finally:
        await engine.close()
    if not audio.samples.any():
        raise Trouble("it made no sound", remedy)
    return f"said a word, {1000 * (time.monotonic() - began):.0f} ms after its start"


async def _asterisk(url: str, trunks: Mapping[str, Registration | None], hosts: Mapping[str, str]) -> bool:
    if not await _tell("AMI port", _port(url)):
        return False
    link = AmiLink(url)
    try:
        if not await _tell("AMI login", _login(link)):
            return False
        watch = TrunkWatch([link], trunks, hosts)
        return all([await _tell(f"trunk {name}", _trunk(watch, name, trunks[name])) for name in trunks])
    finally:
        await link.close()


async def _port(url: str) -> str:
    try:
        asterisk = ami_address(url)
    except AmiAddressInvalid as error:  # the default has no secret
        raise Trouble(str(error), "Set VOICEBRIDGE_AMI_URL.") from error
    remedy = "Start Asterisk, enable AMI in its manager.conf, or correct VOICEBRIDGE_AMI_URL."
    try:
        async with asyncio.timeout(PORT_SECONDS):
            reader, writer = await asyncio.open_connection(asterisk.host, asterisk.port)
            greeting = await reader.readline()
            writer.close()
    except TimeoutError:
        raise Trouble(f"{asterisk.name} does not answer", remedy) from None
    except OSError as error:
        raise Trouble(f"{asterisk.name} cannot be reached: {error.strerror or error}", remedy) from error
    if not greeting.startswith(b"Asterisk Call Manager"):
        raise Trouble(f"what listens on {asterisk.name} is not Asterisk", remedy)
    return f"{asterisk.name}, {greeting.decode(errors='replace').strip()}"


async def _login(link: AmiLink) -> str:
    await link.start()
    try:
        async with asyncio.timeout(LOGIN_SECONDS):
            await link.wait_connected()
    except TimeoutError:
        raise Trouble(
            f"{link.problem}",
            "Asterisk's manager.conf and VOICEBRIDGE_AMI_URL must agree: `voicebridge asterisk-config` writes it,"
            " `asterisk -rx 'manager reload'` has Asterisk read it.",
        ) from None
    return "accepted"


async def _trunk(watch: TrunkWatch, name: str, registration: Registration | None) -> str:
    try:
        standing = await _standing(watch, name, registered=registration is not None)
    except VoicebridgeError as error:
        raise Trouble(str(error), "Give the AMI user the rights that `voicebridge asterisk-config` writes.") from error
    if standing.qualify == "unknown":
        raise Trouble(
            f"Asterisk has no endpoint {name}",
            "Include what `voicebridge asterisk-config` writes, or name your endpoint in VOICEBRIDGE_TRUNK or"
            " VOICEBRIDGE_TRUNKS.",
        )
    if standing.qualify == "unresolved":
        raise Trouble(
            f"the name in the address of {name} leads to no address",
            "Correct the trunk's address (uri), or DNS. What only /etc/hosts knows Asterisk finds with its module"
            " res_resolver_unbound alone: give the IP address instead.",
        )
    if standing.qualify == "unreachable":
        raise Trouble(
            f"{name} does not answer Asterisk's OPTIONS requests",
            "Check the trunk's address (uri), that the carrier knows this machine's address, and the firewall (UDP).",
        )
    if not standing.usable:
        raise Trouble(
            f"{name} is reachable, but Asterisk is not registered there: {standing.registration}",
            "Check the trunk's user and password; `asterisk -rx 'pjsip show registrations'` tells more.",
        )
    if registration and not standing.registration:
        return f"{name} is reachable; `asterisk -rx 'pjsip show registrations'` tells of its registration"
    return f"{name} is reachable{' and registered' if registration else ''}"


async def _standing(watch: TrunkWatch, trunk: str, *, registered: bool) -> TrunkStanding:
    """The state of a trunk; an Asterisk that has just started gets time to send OPTIONS and to register."""
    wanted = TrunkStanding("reachable", "registered" if registered else None)
    for _ in range(TRUNK_TRIES):
        await watch.look()
        standing = watch.standing(trunk)
        if standing == wanted or standing.qualify in ("unknown", "unresolved"):
            break
        await asyncio.sleep(TRUNK_PAUSE_SECONDS)
    return standing

"""The link to AMI under everything that a network, an operator and a library can do to it."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
import structlog
from structlog.testing import capture_logs

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.ami.wire import Event
from bridge.asterisk.channel.channel import AsteriskChannel
from bridge.asterisk.journal import Journal
from bridge.asterisk.switchboard import Switchboard
from bridge.telephony.errors import LinkDown, Rejected, Unconfirmed, UnsafeValue
from bridge.telephony.events import CallEvent, Ended, KeyPressed, Origination, PlaybackEnded, Ready

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import AmiProxy, OpenLink, Telephones

QUICK = 0.2
"""Seconds between pings, in tests that wait for a silent peer."""


Logs = list[MutableMapping[str, Any]]


@pytest.fixture
def logs() -> Iterator[Logs]:
    structlog.reset_defaults()
    with capture_logs() as logs:
        yield logs


def to(number: str) -> Origination:
    return Origination(secrets.token_hex(8), number, "trunk", ring_timeout=8)


def own(prefix: str) -> str:
    """A telephone that no other test calls."""
    return prefix + str(secrets.randbelow(10**6)).zfill(6)


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is often that of another process
            await asyncio.sleep(0.01)


async def heard_until(call: AsteriskChannel, last: type[CallEvent]) -> list[CallEvent]:
    """The events up to the first of that kind."""
    events = []
    async with asyncio.timeout(20):
        async for event in call.events():
            events.append(event)
            if isinstance(event, last):
                break
    return events


def sent(proxy: AmiProxy, action: str) -> int:
    return proxy.said.count(f"Action: {action}\r\n".encode())


async def test_the_link_comes_by_itself_when_asterisk_does(proxy: AmiProxy, open_link: OpenLink) -> None:
    proxy.refusing = True
    link = await open_link(proxy.url)
    await until(lambda: proxy.connections == 2)
    assert not link.connected
    assert link.problem
    with pytest.raises(LinkDown):
        await link.send("Ping")
    proxy.refusing = False
    await link.wait_connected()
    assert link.problem is None
    assert (await link.send("Ping"))["Ping"] == "Pong"


async def test_a_connection_is_no_link_before_asterisk_has_let_us_in(proxy: AmiProxy, open_link: OpenLink) -> None:
    proxy.muted = True
    link = await open_link(proxy.url)
    await until(lambda: sent(proxy, "Challenge"))
    assert not link.connected
    with pytest.raises(LinkDown):
        await link.send("Ping")


async def test_asterisk_that_is_away_is_asked_ever_more_slowly(proxy: AmiProxy, open_link: OpenLink) -> None:
    proxy.refusing = True
    started = time.monotonic()
    await open_link(proxy.url)
    await until(lambda: proxy.connections == 4)
    assert time.monotonic() - started > 0.25 + 0.5 + 1


async def test_a_wrong_secret_is_told_and_not_tried_in_a_hot_loop(proxy: AmiProxy, open_link: OpenLink) -> None:
    started = time.monotonic()
    link = await open_link(f"ami://voicebridge:wrong@127.0.0.1:{proxy.port}")
    await until(lambda: proxy.connections == 3)
    assert time.monotonic() - started > 0.25 + 0.5
    assert "refused the login of 'voicebridge'" in str(link.problem)
    assert not link.connected


async def test_neither_the_secret_nor_keys_nor_files_go_into_the_log_and_the_secret_not_over_the_link(
    proxy: AmiProxy, open_link: OpenLink, logs: Logs, speech: Path, journal: Journal
) -> None:
    link = await open_link(proxy.url)
    await link.wait_connected()
    call = await Switchboard(link, journal).place(to("999100555"))
    await heard_until(call, Ready)
    await call.play(str(speech))
    await heard_until(call, KeyPressed)
    await call.hang_up()
    await heard_until(call, Ended)
    secret = unquote(proxy.url.split(":")[2].split("@")[0])
    assert secret.encode() not in proxy.said
    assert logs
    for private in (secret, str(speech), "STREAM FILE", "DTMF"):
        assert private not in str(logs)


@pytest.mark.parametrize("value", ["1\r\n\r\nAction: Logoff", "1\nAction: Logoff", "a\0b", "x" * 1000, "ž" * 500])
async def test_a_value_that_would_break_the_protocol_is_not_sent(
    proxy: AmiProxy, open_link: OpenLink, value: str
) -> None:
    link = await open_link(proxy.url)
    await link.wait_connected()
    with pytest.raises(UnsafeValue):
        await link.send("Setvar", Variable="X", Value=value)
    await link.send("Ping")
    assert sent(proxy, "Setvar") == 0
    assert proxy.connections == 1


async def test_characters_split_over_segments_stay_whole(proxy: AmiProxy, open_link: OpenLink) -> None:
    link = await open_link(proxy.url)
    await link.wait_connected()
    name = "Žarko Ćirić 電話 " + secrets.token_hex(4)
    await link.send("Setvar", Variable="GLOBAL_NAME", Value=name)
    proxy.byte_by_byte = True
    assert (await link.send("Getvar", Variable="GLOBAL_NAME"))["Value"] == name


async def test_a_handler_that_fails_harms_neither_the_link_nor_the_other_handlers(
    proxy: AmiProxy, open_link: OpenLink, logs: Logs, journal: Journal
) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError(event["Event"])

    link = await open_link(proxy.url)
    link.subscribe(fail, lambda: None)
    switchboard = Switchboard(link, journal)
    await link.wait_connected()
    events = await heard_until(await switchboard.place(to(own("99901"))), Ended)
    assert [type(event) for event in events] == [Ended]
    assert proxy.connections == 1
    assert "Hangup" in [log["event_name"] for log in logs if log["event"] == "ami_event_not_handled"]


async def test_a_silent_asterisk_counts_as_lost_and_is_found_again(proxy: AmiProxy, open_link: OpenLink) -> None:
    link = await open_link(proxy.url, ping_seconds=QUICK)
    await link.wait_connected()
    proxy.muted = True
    await until(lambda: not link.connected)
    assert "silent" in str(link.problem)
    proxy.muted = False
    proxy.cut()
    await link.wait_connected()
    assert proxy.connections >= 2


async def test_an_idle_link_is_kept_alive_by_pings(proxy: AmiProxy, open_link: OpenLink) -> None:
    link = await open_link(proxy.url, ping_seconds=2)
    await link.wait_connected()
    await until(lambda: proxy.heard.count(b"Ping: Pong") >= 3)
    assert link.connected
    assert proxy.connections == 1


async def test_an_action_whose_answer_is_cut_off_is_unconfirmed_and_not_sent_again(
    proxy: AmiProxy, open_link: OpenLink
) -> None:
    link = await open_link(proxy.url)
    await link.wait_connected()
    proxy.cut_after = b"Action: Setvar"
    with pytest.raises(Unconfirmed):
        await link.send("Setvar", Variable="X", Value="1")
    await until(lambda: proxy.connections == 2 and link.connected)
    await link.send("Ping")
    assert sent(proxy, "Setvar") == 1


async def test_an_asterisk_that_answers_nothing_counts_as_lost_although_it_still_tells_events(
    proxy: AmiProxy, open_link: OpenLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.asterisk.ami.link.ANSWER_SECONDS", 2)
    link = await open_link(proxy.url, ping_seconds=60)
    await link.wait_connected()
    proxy.deaf = True
    with pytest.raises(Unconfirmed):
        await link.send("Setvar", Variable="X", Value="1")
    assert not link.connected
    proxy.deaf = False
    await link.wait_connected()
    assert sent(proxy, "Setvar") == 1


async def test_the_account_may_not_do_what_voicebridge_does_not_need(link: AmiLink) -> None:
    for action, headers in (
        ("Command", {"Command": "core show version"}),
        ("GetConfig", {"Filename": "manager.conf"}),
        ("Getvar", {"Variable": "SHELL(id)"}),
        ("ModuleLoad", {"LoadType": "reload"}),
        ("Originate", {"Channel": "PJSIP/99900@trunk", "Application": "System", "Data": "id"}),
    ):
        with pytest.raises(Rejected):
            await link.send(action, **headers)


async def test_only_what_decides_something_about_our_calls_is_sent(
    proxy: AmiProxy, open_link: OpenLink, telephones: Telephones, speech: Path, journal: Journal
) -> None:
    link = await open_link(proxy.url)
    await link.wait_connected()
    number = own("99909")
    application = {"Application": "Wait", "Data": "5"}
    await link.send("Originate", Channel=f"PJSIP/{number}@trunk", Async="true", **application)
    await telephones.only_call(number)
    await link.send("Ping")
    assert proxy.heard.count(b"Event: ") == 1  # FullyBooted

    call = await Switchboard(link, journal).place(to(own("99900")))
    await heard_until(call, Ready)
    await call.play(str(speech))
    await heard_until(call, PlaybackEnded)
    await call.hang_up()
    await heard_until(call, Ended)
    events = re.findall(rb"Event: (\w+)", proxy.heard)[1:]
    assert sorted(events) == [b"AsyncAGIExec", b"AsyncAGIStart", b"Hangup", b"Newstate", b"Newstate"]

"""Whatever AMI tells of a call, in any order, twice or not at all: it ends once, and nothing follows its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bridge.asterisk.ami.link import AmiLink
from bridge.asterisk.ami.wire import Event
from bridge.asterisk.channel.channel import AsteriskChannel
from bridge.telephony.errors import Unconfirmed
from bridge.telephony.events import Answered, CallEvent, Ended, KeyPressed, Origination, Ready, Ringing
from bridge.telephony.records import Record

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ONCE = (Ringing, Answered, Ready, Ended)


def event(name: str, **headers: str) -> Event:
    return {"Event": name, "Uniqueid": "vb-1", **headers}


RINGING = event("Newstate", ChannelState="5")
UP = event("Newstate", ChannelState="6")
READY = event("AsyncAGIStart")
HANGUPS = [
    event("Hangup", Cause=cause, TechCause=tech, **{"Cause-txt": ""})
    for cause, tech in [("16", "200"), ("17", "486"), ("0", "0"), ("34", "503")]
]
ANSWERS_TO_ORIGINATE = [event("OriginateResponse", Response="Failure", Reason=reason) for reason in ("0", "3", "5")]
AMI_EVENTS: list[Event] = [
    RINGING,
    UP,
    event("Newstate", ChannelState="3"),
    READY,
    event("DTMFBegin", Digit="1"),
    event("DTMFEnd", Digit="1"),
    event("DTMFEnd", Digit="#"),
    event("DialEnd", DialStatus="ANSWER"),
    event("AsyncAGIExec", CommandId="1", Result="200%20result%3D0%20endpos%3D8000%0A"),
    event("AsyncAGIExec", CommandId="silence-1", Result="200%20result%3D0%0A"),
    event("AsyncAGIExec", CommandId="2", Result="200%20result%3D-1%0A"),
    *HANGUPS,
    *ANSWERS_TO_ORIGINATE,
]
BUSY = Ended(NOW, 17, 486, timed_out=False, by="callee")
RECORDS = [
    None,
    Record(NOW),
    Record(NOW, answered_at=NOW),
    Record(NOW, ended=BUSY),
    Record(NOW, answered_at=NOW, ended=BUSY, rang=True),
]
DEEDS = ["play", "record", "detect", "stop", "hang up", "adopt"]
happenings = st.lists(st.sampled_from(AMI_EVENTS) | st.sampled_from(DEEDS), max_size=25)


async def lived(what: list[Any], *, settled_with: Record | None) -> list[CallEvent]:
    """All that a call tells until nothing more can come; without a link nothing is said to Asterisk."""
    call, ends = a_call()
    deeds: dict[str, Callable[[], Awaitable[None]]] = {
        "play": lambda: call.play("/speech/hello", stop_keys="1"),
        "record": lambda: call.record("/speech/answer", stop_keys="#", seconds=5, silence=None),
        "detect": call.detect_machine,
        "stop": call.stop,
        "hang up": call.hang_up,
        "adopt": call.adopt_playing,
    }
    for one in what:
        if isinstance(one, str):
            await deeds[one]()
        else:
            call.take(one)
    if not call.over:  # the switchboard finds that the channel is gone
        call.settle(settled_with)
    for one in what:
        if not isinstance(one, str):
            call.take(one)
    assert ends == ["vb-1"]
    return [told async for told in call.events()]


def a_call() -> tuple[AsteriskChannel, list[str]]:
    ends: list[str] = []
    link = AmiLink("ami://voicebridge:secret@127.0.0.1:5038")
    return AsteriskChannel(
        link, Origination("vb-1", "38512345", "trunk"), ends.append, placed_at=datetime.now(UTC)
    ), ends


@settings(max_examples=300)
@given(happenings, st.sampled_from(RECORDS))
def test_a_call_ends_once_and_nothing_follows(what: list[Any], record: Record | None) -> None:
    told = asyncio.run(lived(what, settled_with=record))
    kinds = [type(one) for one in told]
    assert kinds[-1] is Ended
    assert all(kinds.count(kind) <= 1 for kind in ONCE)
    if KeyPressed in kinds:
        assert Answered in kinds[: kinds.index(KeyPressed)]


@given(st.permutations([RINGING, UP, READY, HANGUPS[0]]), st.sampled_from(RECORDS))
def test_an_answer_that_was_seen_is_told_whatever_came_first(what: list[Event], record: Record | None) -> None:
    before_the_end = what[: what.index(HANGUPS[0])]
    told = asyncio.run(lived(what, settled_with=record))
    if UP in before_the_end or READY in before_the_end:
        assert Answered in map(type, told)
    assert isinstance(told[-1], Ended)


@given(st.sampled_from(RECORDS[1:]))
def test_what_nobody_heard_is_told_by_the_journal(record: Record) -> None:
    told = asyncio.run(lived([], settled_with=record))
    assert any(isinstance(one, Answered) for one in told) is (record.answered_at is not None)
    assert isinstance(told[-1], Ended)
    assert told[-1].lost is (record.ended is None)


async def test_an_end_of_which_only_half_is_told_comes_all_the_same() -> None:
    call, _ = a_call()
    call.take(HANGUPS[1])
    began = datetime.now(UTC)
    async with asyncio.timeout(5):
        (told,) = [told async for told in call.events()]
    assert isinstance(told, Ended)
    assert told.at - began < timedelta(seconds=2)


async def test_a_line_of_the_log_about_a_call_says_whose_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of one that is followed on behalf of nobody's request, as one is that was taken up after a restart."""
    link = AmiLink("ami://voicebridge:secret@127.0.0.1:5038")

    async def unconfirmed(_action: str, **_headers: str) -> Event:
        raise Unconfirmed

    monkeypatch.setattr(link, "send", unconfirmed)
    origination = Origination("vb-1", "38512345", "trunk", logged_as={"message": "m1", "attempt": "vb-1"})
    call = AsteriskChannel(link, origination, lambda _: None, placed_at=NOW)
    with capture_logs() as logs:
        await call.play("/speech/hello")
    (line,) = logs
    assert (line["event"], line["message"], line["attempt"]) == ("command_unconfirmed", "m1", "vb-1")

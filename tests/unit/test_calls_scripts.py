"""Scripts are compiled once for all the calls that they are for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.calls.scripts import ContentUnreadable, Scripts
from bridge.messages.message import Connection, Content, Launch, Notify, Retry
from bridge.scripts import ScriptInvalid

TEXT = Content(text="Hello", actions=[{"if": "anyDtmf", "actionGroup": "a"}], action_groups={"a": ["hangup"]})
SCENARIO = Content(feature="ivr", launch=Launch("1", "One", [{"say": "Hello ${name}"}], {"name": "Ada"}))
CONNECTION = Content(feature="click-to-call", connection=Connection("41790000001", None))


@pytest.mark.parametrize("content", [TEXT, SCENARIO, CONNECTION])
def test_calls_with_the_same_script_share_it(content: Content) -> None:
    scripts = Scripts()
    again = replace(content, retry=Retry(1, 1, 1), notify=Notify("http://127.0.0.1/"), callback_data="mine")
    assert scripts.of(content) is scripts.of(again)


def test_every_parameter_has_its_own_call_and_all_the_same_script() -> None:
    scripts = Scripts()
    assert SCENARIO.launch
    other = replace(SCENARIO, launch=replace(SCENARIO.launch, parameters={"name": "Bob"}))
    assert scripts.of(SCENARIO) is scripts.of(other)


@pytest.mark.parametrize(
    "other",
    [
        replace(TEXT, text="Hallo"),
        replace(TEXT, language="de"),
        replace(TEXT, speech_rate=1.5),
        replace(TEXT, pause=1),
        replace(TEXT, dtmf_timeout=3),
        replace(TEXT, action_groups={"a": [{"say": "Bye"}, "hangup"]}),
        SCENARIO,
        CONNECTION,
    ],
)
def test_another_script_is_another(other: Content) -> None:
    scripts = Scripts()
    assert scripts.of(TEXT) != scripts.of(other)
    assert scripts.of(other) == Scripts().of(other)


def test_those_that_were_used_last_are_kept() -> None:
    scripts = Scripts()
    first = scripts.of(TEXT)
    for number in range(99):
        scripts.of(Content(text=f"Number {number}"))
    assert scripts.of(TEXT) is first
    for number in range(100):
        scripts.of(Content(text=f"Number {number}"))
    assert scripts.of(TEXT) is not first


def test_text_that_no_encoding_has_is_compiled() -> None:
    assert Scripts().of(Content(text="a\ud800")) is not None


def test_what_cannot_be_carried_out_is_refused_each_time() -> None:
    scripts = Scripts()
    for _ in range(2):
        with pytest.raises(ContentUnreadable):
            scripts.of(replace(TEXT, unreadable=True))
        with pytest.raises(ScriptInvalid):
            scripts.of(Content(launch=Launch("1", "One", [{"whistle": "a tune"}])))

"""What is kept of a call, read back by another process."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bridge.calls.detail import CallDetail
from bridge.calls.progress import CallProgress, Clock, dump, load, progress_of
from bridge.calls.saving import ProgressWriter
from bridge.messages.attempt import Attempt, Collected, Input, Spoken, Transfer
from bridge.messages.message import Content, Message
from bridge.messages.recording import Recording
from bridge.recordings.of_call import Action
from bridge.scripts import events
from bridge.scripts.verbs.dial import Dial
from bridge.scripts.verbs.request import Responded
from bridge.store import Claim, OpenAttempt, StoreFailed

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

moments = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - of `timezones`
words = st.text(max_size=8)
seconds = st.floats(0, 4000)
courses = st.builds(
    CallDetail,
    ringing_at=st.none() | moments,
    answered_at=st.none() | moments,
    answered_by=st.none() | words,
    spoken=st.lists(st.builds(Spoken, moments, words, words, seconds, st.booleans()), max_size=2),
    inputs=st.lists(st.builds(Input, moments, words, st.none() | words, st.lists(words, max_size=2)), max_size=2),
    collected=st.lists(st.builds(Collected, words, words, st.none() | words), max_size=2),
    transfers=st.lists(
        st.builds(
            Transfer, st.lists(words, max_size=2), moments, words, st.none() | words, st.none() | moments, seconds
        ),
        max_size=2,
    ),
    limit_reached=st.none() | words,
    dialling=st.none()
    | st.tuples(
        st.builds(Dial, st.integers(1, 9), st.tuples(words), st.none(), st.just(30), st.none(), st.none()),
        moments,
    ),
    joined_at=st.none() | moments,
)
actions = st.builds(
    Action,
    st.builds(Recording, words, words, st.just("action"), moments, st.none() | words),
    st.none() | words,
    st.none() | moments,
    st.none() | seconds,
)
told = st.tuples(
    seconds,
    st.none()
    | st.builds(events.Key, st.sampled_from("0123456789*#"))
    | st.builds(Responded, st.integers(1, 9), st.none() | st.integers(100, 599), st.dictionaries(words, words)),
)
pasts = st.builds(
    CallProgress,
    moments,
    courses,
    st.lists(told, max_size=5),
    st.lists(actions, max_size=2),
    st.none() | st.integers(0, 9),
)


def found(happened: object, **seen: datetime) -> OpenAttempt:
    attempt = Attempt("vb-1", "m", 1, "here", "a:1", "trunk", None, "38512345", NOW, NOW, **seen)  # type: ignore[arg-type]
    message = Message("m", "38512345", None, Content(text="Hello"), NOW, NOW)
    return OpenAttempt(Claim(1, "acme", "b", message, attempt, NOW), NOW, happened)  # type: ignore[arg-type]


@given(pasts)
def test_it_comes_back_as_it_was(past: CallProgress) -> None:
    assert load(json.loads(json.dumps(dump(past)))) == past


def test_of_a_call_that_nobody_saw_answered_the_script_has_not_begun() -> None:
    past = progress_of(found([], ringing_at=NOW))
    assert not past.script_has_begun
    assert past.detail == CallDetail(ringing_at=NOW)


def test_whoever_saw_the_answer_has_begun_the_script() -> None:
    past = progress_of(found([], answered_at=NOW))
    assert past.script_has_begun
    assert (past.began_at, past.loops_left) == (NOW, None)


def test_what_another_version_kept_is_passed_over() -> None:
    assert progress_of(found([{"of": "another version"}], answered_at=NOW)).detail == CallDetail(answered_at=NOW)


def test_the_clock_goes_on_and_never_back() -> None:
    begun = datetime.now(UTC) - timedelta(seconds=60)
    assert 60 <= Clock(CallProgress(begun)).now() < 80
    assert Clock(CallProgress(begun, told=[(90.0, None)])).now() >= 90, "the machine's clock was put back meanwhile"


async def test_many_changes_are_one_write_and_a_failed_one_is_made_again() -> None:
    writes: list[float] = []
    written = asyncio.Event()

    async def write() -> None:
        writes.append(asyncio.get_running_loop().time())
        if len(writes) == 1:
            raise StoreFailed("away")
        written.set()

    keeper = ProgressWriter(write)
    for _ in range(10):
        keeper.soon()
    async with asyncio.timeout(20):
        await written.wait()
    assert len(writes) == 2


async def test_nothing_is_written_after_the_end() -> None:
    async def write() -> None:
        raise AssertionError("the call is over")

    keeper = ProgressWriter(write)
    keeper.soon()
    keeper.close()
    assert await keeper._writing.wait(20)

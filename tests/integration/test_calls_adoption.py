"""A process is killed at every stage of a call: the next one goes on, and the telephone rings once."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from bridge.asterisk.journal import Journal
from bridge.messages.attempt import Attempt
from bridge.messages.message import Content, Launch, Retry
from bridge.messages.progress import Progress, State
from bridge.messages.recording import RecordingState
from bridge.store import OpenAttempt
from tests.integration.attempt_desk import LONG_AGO, Desk, Process, eventually, kept_of, only_report, progress_of
from tests.recorded import LOST_ON_A_BUSY_MACHINE

if TYPE_CHECKING:
    from tests.integration.conftest import RunningAsterisk, Telephones

CHOICE = Content(
    text="Press one.",
    dtmf_timeout=20,
    actions=[{"if": "dtmf", "equals": "1", "actionGroup": "confirm"}, {"if": "noDtmf", "actionGroup": "nothing"}],
    action_groups={"confirm": [{"say": "Thank you."}, "hangup"], "nothing": [{"say": "Goodbye."}, "hangup"]},
)


def scenario(*script: Any) -> Content:
    return Content(feature="ivr", launch=Launch("s", "Scenario", list(script)))


def own(prefix: str) -> str:
    """A telephone that no other test calls."""
    return prefix + str(secrets.randbelow(10**6)).zfill(6)


@pytest.fixture
async def desk(asterisk: RunningAsterisk, database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk([asterisk.url], database_url, tmp_path)
    yield desk
    await desk.processes[-1].die()


async def killed_when(
    desk: Desk, number: str, content: Content, is_so: Callable[[Process], Awaitable[object]]
) -> Process:
    """Call the number, kill the process as soon as it is so, and start the next one."""
    first = await desk.start(recovers=False)
    first.run(await desk.claimed(first, number, content))
    await eventually(lambda: is_so(first))
    await first.die()
    return await desk.start()


async def killed_before_the_answer_was_kept(
    desk: Desk, number: str, content: Content, monkeypatch: pytest.MonkeyPatch
) -> Process:
    """Call the number, kill the process as soon as the telephone is spoken to, and start the next one."""
    first = await desk.start(recovers=False)
    for write in ("move", "note_happened"):
        monkeypatch.setattr(first.store.calls, write, never_done)
    first.run(await desk.claimed(first, number, content))

    async def is_spoken_to() -> bool:
        return any(running._progress.detail.spoken for running in first.runner._running.values())

    await eventually(is_spoken_to)
    await first.die()
    second = await desk.start(recovers=False)
    (left,) = await second.store.calls.open_of("here")
    assert left.claim.attempt.answered_at is None
    second.recovery.start()
    return second


async def never_done(*_: object) -> None:
    """A write that the process does not live to see."""
    await asyncio.Event().wait()


def state_is(number: str, state: State) -> Callable[[Process], Awaitable[object]]:
    async def is_so(process: Process) -> bool:
        return (await progress_of(process, number)).state is state

    return is_so


def told(name: str) -> Callable[[Process], Awaitable[object]]:
    """The script was told such an event, and that is kept."""

    async def is_so(process: Process) -> bool:
        return any(name in event for event in (await kept_of(process))["told"])

    return is_so


async def outcome(process: Process, number: str) -> tuple[Progress, Attempt]:
    """The end of the message: exactly one attempt, one report and one CDR say the same."""
    progress = await eventually(lambda: progress_of(process, number), lambda progress: progress.state is State.DONE)
    (attempt,) = await process.store.messages.attempts("acme", number)
    report = await only_report(process)
    assert report.attempt is not None
    assert (report.status_id, report.attempt.id) == (progress.status_id, attempt.id)
    settled = await eventually(lambda: asyncio.sleep(0, [one for one in process.settled if one.id == attempt.id]))
    assert [replace(one, recordings=[]) for one in settled] == [replace(attempt, recordings=[])]
    assert await process.store.calls.open_of("here") == []
    return progress, attempt


async def journal_kept(desk: Desk) -> None:
    """Asterisk has written down some other call."""
    process = await desk.start(recovers=False)
    process.run(await desk.claimed(process, own("99901"), Content(text="Hello"), ago=2 * LONG_AGO))
    await asyncio.gather(*process.calls)


async def test_what_was_claimed_and_never_dialled_waits_again(desk: Desk, telephones: Telephones) -> None:
    number = own("99900")
    await journal_kept(desk)
    first = await desk.start(recovers=False)
    claim = await desk.claimed(first, number, Content(text="Hello"), ago=LONG_AGO)
    await first.die()
    second = await desk.start()
    progress = await eventually(lambda: progress_of(second, number), lambda now: now.state is State.QUEUED)
    assert progress.attempts == 0
    assert telephones.calls(number) == []
    second.run(claim)  # the answer to its claim comes late
    await asyncio.gather(*second.calls)
    assert telephones.calls(number) == []


async def test_a_process_that_stood_still_does_not_dial_what_another_has_given_back(
    desk: Desk, telephones: Telephones
) -> None:
    number = own("99900")
    await journal_kept(desk)
    first = await desk.start(recovers=False)
    claim = await desk.claimed(first, number, Content(text="Hello"), ago=LONG_AGO)
    second = await desk.start()
    await eventually(lambda: progress_of(second, number), lambda now: now.state is State.QUEUED)
    first.run(claim)
    await asyncio.gather(*first.calls)
    assert telephones.calls(number) == []


@pytest.mark.any_database
async def test_nothing_is_given_back_while_the_journal_proves_nothing(desk: Desk, telephones: Telephones) -> None:
    """It has no other call: perhaps Asterisk cannot write it."""
    number = own("99900")
    first = await desk.start(recovers=False)
    await desk.claimed(first, number, Content(text="Hello"), ago=LONG_AGO)
    await first.die()
    _, attempt = await outcome(await desk.start(), number)
    assert (attempt.status_id, attempt.error_id) == (22, 5500)
    assert telephones.calls(number) == []


@pytest.mark.any_database
async def test_a_call_that_ends_while_orphans_are_looked_for_is_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was open when the store was asked, and nobody follows it any more when the answer is looked at."""
    process = await desk.start(recovers=False)
    process.run(await desk.claimed(process, own("99901"), Content(text="Hello"), ago=LONG_AGO))
    await eventually(lambda: asyncio.sleep(0, process.runner.under_way))
    ask = process.store.calls.open_of

    async def answer_late(node: str) -> list[OpenAttempt]:
        found = await ask(node)
        await asyncio.gather(*process.calls)
        return found

    monkeypatch.setattr(process.store.calls, "open_of", answer_late)
    with capture_logs() as told:
        await process.recovery.look()
        await process.recovery._taken_up.wait()
    assert not [line for line in told if line["log_level"] == "warning"]


async def test_a_call_that_was_placed_and_rings_is_followed(desk: Desk, telephones: Telephones) -> None:
    """Killed as soon as Asterisk has the Originate; it is answered, and hears the message, from the next process."""
    number = own("999303")

    async def is_placed(process: Process) -> object:
        return [running._channel for running in process.runner._running.values() if running._channel]

    second = await killed_when(desk, number, Content(text="Hello."), is_placed)
    _, attempt = await outcome(second, number)
    assert (attempt.status_id, attempt.error_id, attempt.hung_up_by) == (5, 5000, "caller")
    assert len(attempt.spoken) == 1
    phone = await telephones.only_call(number)
    assert phone.heard is not None
    assert phone.heard.stat().st_size > 3000


@pytest.mark.any_database
async def test_a_call_that_was_answered_while_no_process_was_there_hears_the_whole_message(
    desk: Desk, telephones: Telephones
) -> None:
    number = own("999301")
    first = await desk.start(recovers=False)
    claim = await desk.claimed(first, number, Content(text="You hear this from the next one."))
    first.run(claim)
    await eventually(lambda: state_is(number, State.RINGING)(first))
    await first.die()
    second = await desk.start(recovers=False)

    async def is_answered() -> bool:
        record = (await Journal(desk.folder / "journal").read([claim.attempt.id])).get(claim.attempt.id)
        return record is not None and record.answered_at is not None

    await eventually(is_answered)
    second.recovery.start()
    _, attempt = await outcome(second, number)
    assert (attempt.status_id, attempt.hung_up_by) == (5, "caller")
    (spoken,) = attempt.spoken
    phone = await telephones.only_call(number)
    assert phone.heard is not None
    assert phone.heard.stat().st_size / 8000 >= spoken.seconds


async def test_the_attempts_of_a_node_that_is_gone_are_settled_by_another(desk: Desk, telephones: Telephones) -> None:
    """Whether their telephones rang is not known: only the message's own policy has them called again."""
    once, again = own("99900"), own("99900")
    process = await desk.start(recovers=False)
    for number, retry in ((once, None), (again, Retry(1440, 1440, 1))):
        content = Content(text="Hello", retry=retry)
        await desk.claimed(process, number, content, node="gone", ago=timedelta(hours=1))
    process.recovery.start()
    _, attempt = await outcome(process, once)
    assert (attempt.status_id, attempt.error_id, attempt.node) == (22, 5500, "gone")
    progress = await eventually(lambda: progress_of(process, again), lambda now: now.state is State.QUEUED)
    assert progress.attempts == 1
    assert telephones.calls(once) == telephones.calls(again) == []


@pytest.mark.any_database
async def test_a_telephone_that_rings_is_given_up_when_its_time_is_over(desk: Desk, telephones: Telephones) -> None:
    number = own("99902")
    content = Content(text="Hello", ring_timeout=5)
    second = await killed_when(desk, number, content, state_is(number, State.RINGING))
    _, attempt = await outcome(second, number)
    assert (attempt.status_id, attempt.error_id, attempt.hung_up_by) == (15, 5003, "caller")
    await telephones.only_call(number)


@pytest.mark.any_database
async def test_a_telephone_that_rings_is_followed_though_the_first_look_at_it_came_to_nothing(
    desk: Desk, telephones: Telephones, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = own("99902")
    first = await desk.start(recovers=False)
    first.run(await desk.claimed(first, number, Content(text="Hello", ring_timeout=15), ago=LONG_AGO))
    await eventually(lambda: state_is(number, State.RINGING)(first))
    await first.die()
    second = await desk.start(recovers=False)

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as once:
        once.setattr(second.recovery, "_journaled", fail)
        with pytest.raises(ZeroDivisionError):
            await second.recovery.look()
    second.recovery.start()
    _, attempt = await outcome(second, number)
    assert (attempt.status_id, attempt.error_id, attempt.hung_up_by) == (15, 5003, "caller")
    await telephones.only_call(number)


@pytest.mark.any_database
async def test_a_text_that_is_being_spoken_is_spoken_once_to_its_end(desk: Desk, telephones: Telephones) -> None:
    number = own("99900")
    content = Content(text="One two three four five six seven eight nine ten, one two three four five six seven eight.")
    second = await killed_when(desk, number, content, state_is(number, State.IN_PROGRESS))
    _, attempt = await outcome(second, number)
    assert (attempt.status_id, attempt.hung_up_by) == (5, "caller")
    (spoken,) = attempt.spoken
    phone = await telephones.only_call(number)
    assert phone.heard is not None
    assert phone.heard.stat().st_size / 8000 == pytest.approx(spoken.seconds, abs=0.3)


@pytest.mark.any_database
async def test_a_call_whose_answer_nobody_kept_hears_the_whole_message(
    desk: Desk, telephones: Telephones, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = own("99900")
    content = Content(text="One two three four five six seven eight nine ten, one two three four five six seven eight.")
    second = await killed_before_the_answer_was_kept(desk, number, content, monkeypatch)
    _, attempt = await outcome(second, number)
    assert (attempt.status_id, attempt.hung_up_by) == (5, "caller")
    (spoken,) = attempt.spoken
    phone = await telephones.only_call(number)
    assert phone.heard is not None
    assert phone.heard.stat().st_size / 8000 > spoken.seconds


async def test_a_prompt_with_silence_behind_it_whose_beginning_nobody_kept_gives_way(
    desk: Desk, telephones: Telephones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was under way ends at once, and the silence with it: the message is heard again, and nothing before it."""
    number = own("99900")
    content = replace(CHOICE, text="One two three four five six.", dtmf_timeout=1)
    second = await killed_before_the_answer_was_kept(desk, number, content, monkeypatch)
    _, attempt = await outcome(second, number)
    phone = await telephones.only_call(number)
    assert phone.heard is not None
    assert phone.heard.stat().st_size / 8000 < 2 * sum(spoken.seconds for spoken in attempt.spoken) + 20


async def test_a_key_that_is_pressed_afterwards_chooses_its_group(desk: Desk, telephones: Telephones) -> None:
    number = own("999180199")  # 1 after eight seconds
    second = await killed_when(desk, number, CHOICE, told("Played"))
    _, attempt = await outcome(second, number)
    assert [(entered.keys, entered.groups) for entered in attempt.inputs] == [("1", ["confirm"])]
    assert len(attempt.spoken) == 2
    assert (attempt.status_id, attempt.hung_up_by) == (5, "caller")
    await telephones.only_call(number)


@pytest.mark.any_database
async def test_keys_pressed_before_and_after_are_one_input(desk: Desk) -> None:
    number = own("9991251299")  # 1 after two seconds, 2 five seconds later
    content = scenario({"say": "Your code."}, {"collectInto": "code", "options": {"maxInputLength": 2, "timeout": 20}})
    second = await killed_when(desk, number, content, told("Key"))
    _, attempt = await outcome(second, number)
    assert [(collected.variable, collected.keys) for collected in attempt.collected] == [("code", "12")]


@pytest.mark.any_database
async def test_a_time_that_ran_out_meanwhile_is_over_at_once(desk: Desk) -> None:
    number = own("99900")
    second = await killed_when(desk, number, replace(CHOICE, dtmf_timeout=2), told("Played"))
    _, attempt = await outcome(second, number)
    assert [entered.groups for entered in attempt.inputs] == [["nothing"]]
    assert len(attempt.spoken) == 2


async def records(process: Process) -> object:
    """A verb records the callee now, and that is kept."""
    actions = (await kept_of(process))["actions"]
    return actions and actions[0]["began_at"] and actions[0]["seconds"] is None


@pytest.mark.any_database
async def test_what_the_first_verb_of_a_script_records_is_recorded_whole(desk: Desk) -> None:
    number = own("99923")
    second = await killed_when(desk, number, scenario({"record": 4}, {"say": "Thank you."}), records)
    _, attempt = await outcome(second, number)
    (recording,) = attempt.recordings
    assert recording.state is RecordingState.AVAILABLE
    assert recording.seconds == pytest.approx(4, abs=LOST_ON_A_BUSY_MACHINE)
    assert len(list((desk.folder / "recordings").rglob("*.wav"))) == 1


@pytest.mark.any_database
async def test_what_is_being_recorded_is_recorded_whole(desk: Desk) -> None:
    number = own("99923")
    content = replace(scenario({"say": "Speak."}, {"record": 6}, {"say": "Thank you."}), record=True)
    second = await killed_when(desk, number, content, records)
    _, attempt = await outcome(second, number)
    call, action = attempt.recordings
    assert (call.kind, action.kind, action.state) == ("call", "action", RecordingState.AVAILABLE)
    assert action.seconds == pytest.approx(6, abs=LOST_ON_A_BUSY_MACHINE)
    assert len(attempt.spoken) == 2
    said = sum(spoken.seconds for spoken in attempt.spoken)
    assert call.seconds is not None
    assert call.seconds > 6 + said - 2 * LOST_ON_A_BUSY_MACHINE


async def test_a_transfer_goes_on_and_nobody_is_called_twice_for_it(desk: Desk, telephones: Telephones) -> None:
    number, agent = own("99923"), own("99923")

    async def is_joined(process: Process) -> object:
        course = (await kept_of(process))["course"]
        return course.get("dialling") and course.get("joined_at")

    content = scenario({"dial": agent, "options": {"maxCallDuration": 7}}, {"say": "Goodbye."})
    second = await killed_when(desk, number, content, is_joined)
    _, attempt = await outcome(second, number)
    (transfer,) = attempt.transfers
    assert (transfer.result, transfer.number) == ("answered", agent)
    assert transfer.seconds == pytest.approx(7, abs=0.5)
    assert len(attempt.spoken) == 1
    await telephones.only_call(agent)
    await telephones.only_call(number)


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("prefix", "state", "true_outcome"),
    [("99909", State.IN_PROGRESS, (5, 5000, 200)), ("99903", State.RINGING, (15, 5603, 603))],
)
@pytest.mark.parametrize("has_asterisk", [True, False])
async def test_a_call_that_ended_while_nobody_was_there_has_its_true_outcome(
    desk: Desk, prefix: str, state: State, true_outcome: tuple[int, int, int | None], has_asterisk: bool
) -> None:
    """The journal knows it, also when Asterisk does not come back."""
    number = own(prefix)
    first = await desk.start(recovers=False)
    claim = await desk.claimed(first, number, Content(text="Hello " * 20))
    first.run(claim)
    await eventually(lambda: state_is(number, state)(first))
    await first.die()
    journal = Journal(desk.folder / "journal")
    records = await eventually(
        lambda: journal.read([claim.attempt.id]),
        lambda records: claim.attempt.id in records and records[claim.attempt.id].ended,
    )
    ended = records[claim.attempt.id].ended
    assert ended is not None
    if not has_asterisk:
        desk.urls = []
    second = await desk.start()
    _, attempt = await outcome(second, number)
    assert (attempt.status_id, attempt.error_id, attempt.sip_status) == true_outcome
    assert (attempt.ended_at, attempt.hung_up_by) == (ended.at, "callee")

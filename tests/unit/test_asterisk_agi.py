"""What Asterisk is told and answers, word by word."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.asterisk.channel import agi, detector, transfers
from bridge.asterisk.channel.keys import Keys
from bridge.telephony.errors import UnsafeValue
from bridge.telephony.events import Origination, TransferOrder

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("200 result=0 endpos=8000", agi.Answer(0, "", 8000)),
        ("200 result=49 endpos=160", agi.Answer(49, "", 160)),
        ("200 result=35 (dtmf) endpos=4000", agi.Answer(35, "dtmf", 4000)),
        ("200 result=1 (HUMAN:HUMAN-800-800)", agi.Answer(1, "HUMAN:HUMAN-800-800")),
        ("200 result=-1", agi.Answer(-1)),
        ("510 Invalid or unknown command", agi.Answer(-1)),
    ],
)
def test_answers_are_read(text: str, answer: agi.Answer) -> None:
    assert agi.read(f"{text}\n") == answer


@pytest.mark.parametrize(
    ("verdict", "answered_by"),
    [
        ("HUMAN:HUMAN-800-800", "human"),
        ("MACHINE:LONGGREETING-1500-1500", "machine"),
        ("MACHINE:MAXWORDS-4-3", "machine"),
        ("MACHINE:INITIALSILENCE-2500-2500", "unknown"),
        ("NOTSURE:TOOLONG-5000", "unknown"),
        ("HANGUP:", "unknown"),
        (":", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_verdict_says_who_answered(verdict: str, answered_by: str) -> None:
    assert detector.detected(NOW, verdict).answered_by == answered_by


@pytest.mark.parametrize(
    ("answer", "result", "number"),
    [
        ("ANSWER:41790000001@trunk", "answered", "41790000001"),
        ("BUSY:", "busy", None),
        ("NOANSWER:", "no-answer", None),
        ("CONGESTION:", "failed", None),
        ("CHANUNAVAIL:", "failed", None),
        ("", "failed", None),
    ],
)
def test_a_transfer_ends_with_a_result(answer: str, result: str, number: str | None) -> None:
    over = transfers.transfer_over(NOW, answer, None)
    assert (over.result, over.number) == (result, number)


def test_a_transfer_calls_all_its_telephones_shows_the_caller_and_warns() -> None:
    transfer = TransferOrder(("41790000001", "41790000002"), 20, 60, "41790000009", 10, "/speech/beep")
    assert transfers.commands(transfer, Origination("a", "1", "trunk")) == (
        'SET CALLERID "41790000009"',
        'SET VARIABLE LIMIT_WARNING_FILE "/speech/beep"',
        'SET VARIABLE LIMIT_PLAYAUDIO_CALLER "yes"',
        'SET VARIABLE LIMIT_PLAYAUDIO_CALLEE "yes"',
        'EXEC Dial "PJSIP/41790000001@trunk&PJSIP/41790000002@trunk,20,giL(60000:10000)"',
        transfers.RESULT,
    )


@pytest.mark.parametrize("stem", ['/speech/a"b', "/speech/a\\b", ""])
def test_a_file_that_would_be_read_otherwise_is_refused(stem: str) -> None:
    with pytest.raises(UnsafeValue):
        agi.play(stem, "")
    with pytest.raises(UnsafeValue):
        agi.play("/speech/a", '" 1')


def test_an_end_without_a_beginning_is_the_last_key_once_more() -> None:
    keys = Keys()
    keys.begin()
    assert keys.end("5", 1.0)
    assert not keys.end("5", 1.1), "Asterisk tells it again"
    keys.begin()
    assert keys.end("5", 1.2), "it was pressed again"
    assert keys.end("6", 1.3), "its beginning was lost"
    assert keys.end("6", 2.0), "too late to be an echo"


def test_keys_in_info_have_no_beginning_and_all_count() -> None:
    keys = Keys()
    assert [keys.end("5", at) for at in (1.0, 1.1, 1.2)] == [True] * 3

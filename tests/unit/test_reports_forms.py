"""Reports v1 and v2 and CDRs, from one finished call."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from bridge.messages.attempt import Attempt, Input, Leg, Spoken
from bridge.messages.message import Content, Launch, Message
from bridge.messages.progress import Progress, Report, State
from bridge.messages.recording import RecordingState, new_recording
from bridge.reports.cdr import Cdr, cdr
from bridge.reports.log import LogEntry, log_entry
from bridge.reports.members import wire_time
from bridge.reports.v1 import ReportV1, report_v1
from bridge.reports.v2 import ReportV2, VoiceCallMembers, report_v2

DIALLED = datetime(2026, 11, 23, 12, 0, 0, 123_999, tzinfo=UTC)
RINGING = DIALLED + timedelta(seconds=1.5)
ANSWERED = DIALLED + timedelta(seconds=5)
ENDED = ANSWERED + timedelta(seconds=25.04)

MESSAGE = Message(
    id="message-1",
    to="41793026727",
    sender="38515507799",
    content=Content(text="Hello", callback_data="order 7"),
    send_at=DIALLED,
    expires_at=DIALLED + timedelta(hours=48),
)

ATTEMPT = Attempt(
    id="vb-1",
    message_id="message-1",
    number=1,
    node="here",
    asterisk="127.0.0.1:5038",
    trunk="trunk",
    sender="38515507799",
    to="41793026727",
    queued_at=DIALLED - timedelta(seconds=1),
    dialled_at=DIALLED,
    ringing_at=RINGING,
    answered_at=ANSWERED,
    ended_at=ENDED,
    cause=16,
    sip_status=200,
    hung_up_by="caller",
    status_id=5,
    error_id=5000,
    spoken=[Spoken(ANSWERED, "espeak-ng", "en", 5.0, False), Spoken(ANSWERED, "espeak-ng", "en", 0.2561, True)],
)

BUSY = replace(
    ATTEMPT, ringing_at=None, answered_at=None, cause=17, sip_status=486, status_id=15, error_id=5002, spoken=[]
)

RECORDED = replace(ATTEMPT, recordings=[replace(new_recording("vb-1", "call", ANSWERED), state=RecordingState.LOST)])


def progress(message: Message) -> Progress:
    return Progress("bulk-1", "acme", message, State.DONE, 1, 5, 5000, sent_at=DIALLED, done_at=ENDED)


def reported(attempt: Attempt | None = ATTEMPT, status_id: int = 5, error_id: int = 5000) -> Report:
    return Report("bulk-1", MESSAGE, status_id, error_id, sent_at=DIALLED, done_at=ENDED, attempt=attempt)


def with_keys(*inputs: str) -> Attempt:
    return replace(ATTEMPT, inputs=[Input(ANSWERED, keys, None, []) for keys in inputs])


@pytest.fixture
def machine_in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("machine_in_tokyo")
def test_times_are_utc_with_milliseconds_and_an_offset_without_colon() -> None:
    assert wire_time(DIALLED) == "2026-11-23T12:00:00.123+0000"
    assert wire_time(DIALLED.astimezone(timezone(timedelta(hours=5)))) == "2026-11-23T12:00:00.123+0000"
    assert wire_time(DIALLED.replace(microsecond=999_999)) == "2026-11-23T12:00:00.999+0000"


def test_v1_of_an_answered_call() -> None:
    assert report_v1(reported()) == {
        "bulkId": "bulk-1",
        "messageId": "message-1",
        "from": "38515507799",
        "to": "41793026727",
        "sentAt": "2026-11-23T12:00:00.123+0000",
        "doneAt": "2026-11-23T12:00:30.163+0000",
        "startTime": "2026-11-23T12:00:01.623+0000",
        "answerTime": "2026-11-23T12:00:05.123+0000",
        "endTime": "2026-11-23T12:00:30.163+0000",
        "duration": 26,
        "fileDuration": 5.256,
        "mccMnc": None,
        "callbackData": "order 7",
        "dtmfCodes": "",
        "recordedAudioFileUrl": None,
        "price": {"pricePerSecond": 0.0, "currency": "UNKNOWN"},
        "status": {
            "groupId": 3,
            "groupName": "DELIVERED",
            "id": 5,
            "name": "DELIVERED_TO_HANDSET",
            "description": "Message delivered to handset",
        },
        "error": {
            "groupId": 0,
            "groupName": "OK",
            "id": 5000,
            "name": "VOICE_ANSWERED",
            "description": "Call answered by human",
            "permanent": True,
        },
    }


def test_v2_of_an_answered_call() -> None:
    report = report_v2(reported())
    assert "doneAt" not in report
    assert report["voiceCall"] == {
        "feature": "Text-to-Speech",
        "startTime": "2026-11-23T12:00:01.623+0000",
        "answerTime": "2026-11-23T12:00:05.123+0000",
        "endTime": "2026-11-23T12:00:30.163+0000",
        "duration": 26,
        "chargedDuration": 26,
        "fileDuration": 5.256,
        "dtmfCodes": None,
        "answeredBy": None,
        "callRecordingFileId": None,
        "direction": "OUTBOUND",
        "ivr": None,
    }
    assert report["status"] == report_v1(reported())["status"]
    assert report["error"] == report_v1(reported())["error"]


def test_a_call_that_was_not_answered_has_no_times_and_no_duration() -> None:
    report = report_v1(reported(BUSY, 15, 5002))
    assert [report[name] for name in ("startTime", "answerTime", "endTime")] == [None, None, None]
    assert (report["duration"], report["fileDuration"], report["dtmfCodes"]) == (0, 0.0, "")
    assert report["status"]["name"] == "EXPIRED_EXPIRED"
    assert report["error"]["name"] == "EC_VOICE_USER_BUSY"


def test_a_message_that_was_never_dialled_has_a_report_too() -> None:
    report = report_v2(reported(None, 15, 5408))
    assert report["voiceCall"]["duration"] == 0
    assert report["voiceCall"]["startTime"] is None
    assert report["sentAt"] == "2026-11-23T12:00:00.123+0000"


def test_inputs_are_listed_in_both_versions() -> None:
    assert report_v1(reported(with_keys("3", "9")))["dtmfCodes"] == "3, 9"
    assert report_v2(reported(with_keys("3", "9")))["voiceCall"]["dtmfCodes"] == "3, 9"
    assert report_v2(reported(with_keys("")))["voiceCall"]["dtmfCodes"] is None


def test_answered_by_is_told_when_it_was_detected() -> None:
    def answered_by(found: str | None) -> Any:
        return report_v2(reported(replace(ATTEMPT, answered_by=found)))["voiceCall"]["answeredBy"]

    assert [answered_by(found) for found in ("human", "machine", "unknown", None)] == ["HUMAN", "MACHINE", None, None]


def test_numbers_have_the_types_that_strict_clients_want() -> None:
    report = report_v2(reported())
    call = report["voiceCall"]
    assert type(call["duration"]) is int
    assert type(call["chargedDuration"]) is int
    assert type(call["fileDuration"]) is float
    assert type(report["price"]["pricePerSecond"]) is float


def test_the_cdr_tells_what_happened_and_when() -> None:
    attempt = replace(ATTEMPT, inputs=[Input(ANSWERED, "1", "dtmf 1", ["confirm"])])
    record = cdr(attempt)
    assert record["ringSeconds"] == 3.5
    assert record["callSeconds"] == 25.04
    assert record["billableSeconds"] == 26
    assert (record["cause"], record["sipStatus"], record["hungUpBy"]) == (16, 200, "caller")
    assert record["spoken"][0] == {
        "at": record["answeredAt"],
        "engine": "espeak-ng",
        "voice": "en",
        "seconds": 5.0,
        "cached": False,
    }
    assert record["inputs"] == [
        {"at": "2026-11-23T12:00:05.123+0000", "keys": "1", "action": "dtmf 1", "actionGroups": ["confirm"]}
    ]


def test_the_cdr_names_the_trunks_that_did_not_take_the_call() -> None:
    leg = Leg("first", DIALLED - timedelta(seconds=1), DIALLED, 38, 503, sent_to="+41793026727", sent_from="+123")
    record = cdr(replace(ATTEMPT, refused=[leg]))
    assert record["trunk"] == "trunk"
    assert record["refused"] == [
        {
            "trunk": "first",
            "sentFrom": "+123",
            "sentTo": "+41793026727",
            "dialledAt": wire_time(DIALLED - timedelta(seconds=1)),
            "endedAt": wire_time(DIALLED),
            "cause": 38,
            "sipStatus": 503,
        }
    ]


def test_the_cdr_of_a_busy_number_leaves_out_what_never_was() -> None:
    record = cdr(BUSY)
    assert [record[name] for name in ("ringingAt", "answeredAt", "ringSeconds", "callSeconds")] == [None] * 4
    assert record["billableSeconds"] == 0
    assert record["error"] is not None
    assert record["error"]["name"] == "EC_VOICE_USER_BUSY"


def test_the_cdr_of_a_live_attempt_has_no_outcome_yet() -> None:
    record = cdr(replace(ATTEMPT, ended_at=None, status_id=None, error_id=None))
    assert (record["status"], record["error"], record["endedAt"], record["callSeconds"]) == (None, None, None, None)


@pytest.mark.parametrize("attempt", [None, ATTEMPT, BUSY, RECORDED])
def test_members_are_written_in_the_order_of_their_models(attempt: Attempt | None) -> None:
    launched = replace(MESSAGE, content=Content(feature="ivr", launch=Launch("S1", "Survey", ["hangup"])))
    report = replace(reported(attempt), message=launched)
    sent = progress(launched)
    written: list[tuple[Mapping[str, object], Any]] = [
        (report_v1(report), ReportV1),
        (report_v1(reported(attempt)), ReportV1),
        (report_v2(report), ReportV2),
        (report_v2(report)["voiceCall"], VoiceCallMembers),
        (log_entry(sent, attempt), LogEntry),
    ]
    if attempt is not None:
        written.append((cdr(attempt), Cdr))
    for members, model in written:
        assert list(members) == [name for name in model.__annotations__ if name in members]

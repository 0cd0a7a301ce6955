"""What is pushed, when it is pushed again, and how it is signed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.reports.push import MOST_RETRIES, wait_before_retry, webhook_id
from bridge.reports.signature import WebhookSecretInvalid, signing_key, webhook_headers
from bridge.reports.xml import results_as_xml

AT = datetime(2026, 11, 23, 12, 0, 0, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(("retry", "minutes"), [(1, 2), (2, 5), (3, 10), (4, 17), (20, 401)])
def test_the_wait_before_a_retry_grows_with_its_square(retry: int, minutes: int) -> None:
    assert wait_before_retry(retry) == timedelta(minutes=minutes)


def test_retries_go_on_for_two_days() -> None:
    waits = [wait_before_retry(retry) for retry in range(1, MOST_RETRIES + 1)]
    assert sum(waits, timedelta()) == timedelta(hours=48, minutes=10)


def test_a_webhook_keeps_its_id_and_shares_it_with_no_other() -> None:
    assert webhook_id("acme", "m1") == webhook_id("acme", "m1")
    assert len({webhook_id("acme", "m1"), webhook_id("acme", "m2"), webhook_id("other", "m1")}) == 3


def test_the_signature_of_the_specifications_example() -> None:
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = webhook_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', key)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_timestamp_is_whole_seconds() -> None:
    assert webhook_headers("msg_1", AT, b"", None)["webhook-timestamp"] == str(int(AT.timestamp()))


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_dG9vIHNob3J0", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64 at all, is it now?",
     "whsec_" + base64.b64encode(bytes(65)).decode()],
)  # fmt: skip
def test_a_secret_of_another_form_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(WebhookSecretInvalid) as refused:
        signing_key(secret)
    assert not secret.removeprefix("whsec_") or secret not in str(refused.value)


@given(st.text())
def test_any_text_makes_well_formed_xml(text: str) -> None:
    root = ElementTree.fromstring(results_as_xml([{"callbackData": text}]))  # noqa: S314  it is our own
    kept = root.findtext("result/callbackData") or ""
    printable = [character for character in text if character.isprintable()]
    assert [character for character in kept if character.isprintable() and character != "\ufffd"] == [
        character for character in printable if character != "\ufffd"
    ]


def test_members_nest_and_what_is_null_is_left_out() -> None:
    document = results_as_xml([{"voiceCall": {"duration": 3, "ivr": None}, "error": {"permanent": False}}])
    assert document.endswith(
        b"<results><result><voiceCall><duration>3</duration></voiceCall>"
        b"<error><permanent>false</permanent></error></result></results>"
    )

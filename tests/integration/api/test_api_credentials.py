"""Who may ask, and what they see."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from bridge.api.authentication import Authenticator

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

pytestmark = pytest.mark.any_database

GOOD = {"to": "41793026727", "text": "Hello"}


def basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


@pytest.mark.parametrize(
    "header", ["App the-key", "app the-key", "App  the-key ", "IBSSO the-key", basic("ana:s3cret:ž")]
)
async def test_a_key_or_a_password_opens_the_door(desk: Desk, header: str) -> None:
    answer = await desk.client.post("/tts/3/single", json=GOOD, headers={"Authorization": header})
    assert answer.status == 200


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "App",
        "App ",
        "App the-ke",
        "App the-key2",
        "the-key",
        "Bearer the-key",
        "Basic",
        "Basic ?",
        "Basic /w==",
        basic("ana"),
        basic("ana:"),
        basic("ana:wrong"),
        basic(":s3cret:ž"),
        basic("the-key"),
        "App ana:s3cret:ž",
    ],
)
async def test_anything_else_is_a_401_and_leaves_nothing(desk: Desk, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = await desk.client.post("/tts/3/single", json=GOOD, headers=headers)
    assert answer.status == 401
    assert "App" in answer.headers["WWW-Authenticate"]
    exception = (await answer.json())["requestError"]["serviceException"]
    assert exception["messageId"] == "UNAUTHORIZED"
    await desk.nothing_is_left_behind()


@pytest.mark.parametrize(
    "path", ["/tts/3/reports", "/voice/1/reports", "/voice/1/calls/x", "/voice/1/calls/x/cdr", "/"]
)
async def test_no_address_but_health_is_open(desk: Desk, path: str) -> None:
    assert (await desk.client.get(path)).status == 401


async def test_an_empty_secret_is_never_taken(desk: Desk) -> None:
    with pytest.raises(ValueError, match="empty"):
        Authenticator(keys={"": "acme"}, users={}, kept=desk.store.accounts.credentials)
    with pytest.raises(ValueError, match="empty"):
        Authenticator(keys={}, users={("ana", ""): "acme"}, kept=desk.store.accounts.credentials)


async def test_an_account_sees_only_its_own(desk: Desk) -> None:
    sent = await desk.sent(GOOD)
    await desk.finish_all()
    for token in (sent["token"], sent["messages"][0]["token"]):
        assert (await desk.get(f"/voice/1/calls/{token}", key="the-other-key")).status == 404
        assert (await desk.get(f"/voice/1/calls/{token}/cdr", key="the-other-key")).status == 404
    assert await (await desk.get("/tts/3/reports", key="the-other-key")).json() == {"results": []}
    assert len((await (await desk.get("/tts/3/reports")).json())["results"]) == 1

"""Keys and users of several accounts, made by the command, at a front desk that runs."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.api.authentication import Authenticator
from bridge.api.secrets import key_digest, password_digest
from bridge.store import Store, UserExists
from tests.schema import make_schema

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

GOOD = {"to": "41793026727", "text": "Hello"}


def keys(database_url: str, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from bridge.cli import main; main()", "keys", *arguments],
        cwd=Path(__file__).parents[3],
        env={
            "PATH": os.environ["PATH"],
            "VOICEBRIDGE_DATABASE_URL": database_url,
        },
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


async def opens(desk: Desk, authorization: str) -> bool:
    answer = await desk.client.get("/tts/3/logs", headers={"Authorization": authorization})
    return answer.status == 200


async def becomes(desk: Desk, authorization: str, *, open_: bool) -> bool:
    """Whether the door is, in time, as it should be."""
    deadline = time.monotonic() + 30
    while await opens(desk, authorization) is not open_:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True


async def test_a_key_opens_its_account_until_it_is_revoked(desk: Desk, database_url: str) -> None:
    made = keys(database_url, "add", "shop")
    key = made.stdout.strip()
    assert (made.returncode, made.stderr, len(key) > 40) == (0, "", True)
    assert await becomes(desk, f"App {key}", open_=True)
    assert await opens(desk, f"IBSSO {key}")
    assert not await opens(desk, f"App {key[:-1]}")
    await desk.sent(GOOD, key=key)
    listed = keys(database_url, "list").stdout
    assert "shop" in listed
    assert key[:7] in listed
    assert key not in listed
    assert keys(database_url, "revoke", "1").returncode == 0
    assert await becomes(desk, f"App {key}", open_=False)
    again = keys(database_url, "revoke", "1")
    assert (again.returncode, again.stderr.startswith("CREDENTIAL_UNKNOWN")) == (1, True)


async def test_a_user_opens_its_account_until_it_is_revoked(desk: Desk, database_url: str) -> None:
    assert keys(database_url, "add", "shop", "--user", "eva", typed="pässword: 1\n").returncode == 0
    assert await becomes(desk, basic("eva", "pässword: 1"), open_=True)
    for name, password in (("eva", "password"), ("eva", ""), ("Eva", "pässword: 1"), ("eve", "pässword: 1")):
        assert not await opens(desk, basic(name, password))
    twice = keys(database_url, "add", "other", "--user", "eva", typed="another\n")
    assert (twice.returncode, twice.stderr.startswith("USER_EXISTS")) == (1, True)
    assert keys(database_url, "revoke", "1").returncode == 0
    assert await becomes(desk, basic("eva", "pässword: 1"), open_=False)
    assert keys(database_url, "add", "other", "--user", "eva", typed="another\n").returncode == 0
    assert await becomes(desk, basic("eva", "another"), open_=True)
    assert not await opens(desk, basic("eva", "pässword: 1"))


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [(("add", " "), ""), (("add", "shop", "--user", "a:b"), "x\n"), (("add", "shop", "--user", "eva"), "\n")],
)
@pytest.mark.any_database
def test_what_cannot_be_a_credential_is_refused(database_url: str, arguments: tuple[str, ...], typed: str) -> None:
    refused = keys(database_url, *arguments, typed=typed)
    assert (refused.returncode, refused.stderr.startswith("CREDENTIAL_INVALID")) == (1, True)


@pytest.mark.any_database
def test_secrets_are_not_in_the_database(tmp_path: Path, database_url: str) -> None:
    make_schema(database_url)
    key = keys(database_url, "add", "shop").stdout.strip()
    keys(database_url, "add", "shop", "--user", "eva", typed="my-password\n")
    kept = (tmp_path / "test.db").read_bytes()
    assert b"eva" in kept
    assert key.encode() not in kept
    assert b"my-password" not in kept


async def test_accounts_see_only_their_own(desk: Desk) -> None:
    for account in ("shop", "bank"):
        await desk.store.accounts.add_credential(
            account=account, kind="key", name=account, digest=key_digest(f"{account}-key")
        )
    message = {"destinations": [{"to": "41793026727", "messageId": "mine"}], "text": "Hello"}
    for account in ("shop", "bank"):
        await desk.sent({"bulkId": "my-bulk", "messages": [message]}, "/tts/3/advanced", key=f"{account}-key")
    await desk.put("/tts/3/bulks/status", {"status": "CANCELED"}, key="shop-key", bulkId="my-bulk")
    for account, state in (("shop", "CANCELED"), ("bank", "PENDING")):
        bulk = await desk.get("/tts/3/bulks/status", key=f"{account}-key", bulkId="my-bulk")
        assert (await bulk.json())["status"] == state
        logs = await (await desk.get("/tts/3/logs", key=f"{account}-key")).json()
        assert len(logs["results"]) == 1
        reports = await (await desk.get("/tts/3/reports", key=f"{account}-key")).json()
        assert len(reports["results"]) == (state == "CANCELED")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    yield store
    await store.close()


async def test_a_password_is_computed_once_and_free_then(store: Store) -> None:
    await store.accounts.add_credential(account="shop", kind="user", name="eva", digest=password_digest("secret"))
    authenticator = Authenticator(keys={}, users={}, kept=store.accounts.credentials)
    assert await authenticator.account(basic("eva", "secret")) == "shop"
    begun = time.process_time()
    for _ in range(100):
        assert await authenticator.account(basic("eva", "secret")) == "shop"
    assert time.process_time() - begun < 2  # one computation takes a tenth of a second


async def test_a_name_is_taken_until_its_user_is_revoked(store: Store) -> None:
    number = await store.accounts.add_credential(account="shop", kind="user", name="eva", digest="1")
    with pytest.raises(UserExists):
        await store.accounts.add_credential(account="shop", kind="user", name="eva", digest="2")
    assert await store.accounts.revoke_credential(number)
    assert not await store.accounts.revoke_credential(number)
    assert await store.accounts.add_credential(account="shop", kind="user", name="eva", digest="2") != number
    assert [each.digest for each in await store.accounts.credentials()] == ["2"]

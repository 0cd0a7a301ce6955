"""Uploads: audio files for scripts."""

from __future__ import annotations

import math
import subprocess
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from aiohttp import ClientResponse, FormData

from bridge.asterisk.journal import Journal
from bridge.reports.cdr_files import CdrFiles
from bridge.reports.retention import Limits, Retention
from bridge.speech.errors import UploadUnknown
from tests.sounds import sine, wav

if TYPE_CHECKING:
    from tests.integration.api.conftest import Desk

pytestmark = pytest.mark.any_database

PATH = "/voice/ivr/1/uploads"


def tone(folder: Path, name: str, seconds: float = 1.5) -> bytes:
    file = folder / name
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}", str(file)], check=True
    )
    return file.read_bytes()


async def upload(desk: Desk, data: bytes, name: str = "menu.wav", key: str = "the-key") -> ClientResponse:
    form = FormData()
    form.add_field("file", BytesIO(data), filename=name, content_type="audio/wav")
    return await desk.client.post(PATH, data=form, headers={"Authorization": f"App {key}"})


async def uploaded(desk: Desk, data: bytes, name: str = "menu.wav", key: str = "the-key") -> Any:
    answer = await upload(desk, data, name, key)
    assert answer.status == 200, await answer.text()
    return await answer.json()


@pytest.mark.parametrize("kind", ["wav", "mp3"])
async def test_a_file_is_kept_and_listed(desk: Desk, tmp_path: Path, kind: str) -> None:
    data = tone(tmp_path, f"menu.{kind}")
    kept = await uploaded(desk, data, f"menu.{kind}")
    assert (kept["name"], kept["fileFormat"], kept["size"], kept["duration"]) == (
        f"menu.{kind}", kind.upper(), len(data), 2
    )  # fmt: skip
    created, expires = (
        datetime.strptime(kept[name], "%Y-%m-%dT%H:%M:%S.%f%z") for name in ("creationTime", "expirationTime")
    )
    assert expires - created == timedelta(days=90)
    listed = await (await desk.get(PATH)).json()
    assert listed == {
        "results": [kept],
        "paging": {"page": 0, "size": 20, "totalPages": 1, "totalResults": 1},
    }
    assert math.isclose((await desk.speech.upload(kept["id"])).seconds, 1.5, abs_tol=0.1)


@pytest.mark.parametrize(("seconds", "duration"), [(3.0, 3), (2.999, 3), (3.001, 4), (0.1, 1)])
@pytest.mark.parametrize("rate", [8000, 44100])
async def test_the_duration_is_that_of_the_sound(desk: Desk, seconds: float, duration: int, rate: int) -> None:
    sound = sine(440, seconds, rate=rate)
    assert (await uploaded(desk, wav(sound, sound, rate=rate)))["duration"] == duration


async def test_a_file_without_sound_is_refused(desk: Desk) -> None:
    answer = await upload(desk, wav(np.zeros(24_000)))
    assert answer.status == 400
    problems = (await answer.json())["requestError"]["serviceException"]["validationErrors"]
    assert problems == {"file": ["nothing is to be heard in the file"]}


async def test_uploads_are_paged_from_0_and_belong_to_their_account(desk: Desk, tmp_path: Path) -> None:
    data = tone(tmp_path, "menu.wav", 0.5)
    for name in ("a.wav", "b.wav", "c.wav"):
        await uploaded(desk, data, name)
    await uploaded(desk, data, "theirs.wav", "the-other-key")
    listed = await (await desk.get(PATH, page="1", size="2")).json()
    assert [each["name"] for each in listed["results"]] == ["a.wav"]
    assert listed["paging"] == {"page": 1, "size": 2, "totalPages": 2, "totalResults": 3}


async def test_a_script_plays_only_what_its_own_account_uploaded(desk: Desk, tmp_path: Path) -> None:
    kept = await uploaded(desk, tone(tmp_path, "menu.wav", 0.5))
    script = [{"if": "${a}", "then": [{"playFromUpload": kept["id"]}]}]
    scenario = {"name": "Menu", "script": script}
    created = await desk.sent(scenario, "/voice/ivr/1/scenarios")
    assert created["script"] == script
    answer = await desk.post("/voice/ivr/1/scenarios", scenario, "the-other-key")
    problems = (await answer.json())["requestError"]["serviceException"]["validationErrors"]
    assert problems == {"script[0].then[0].playFromUpload": ["there is no such upload"]}


async def test_an_action_group_plays_only_what_is_there(desk: Desk, tmp_path: Path) -> None:
    kept = await uploaded(desk, tone(tmp_path, "menu.wav", 0.5))

    def message(upload_id: str) -> dict[str, Any]:
        return {
            "destinations": [{"to": "41793026727"}],
            "text": "Press 1.",
            "actions": [{"if": "dtmf", "equals": "1", "actionGroup": "menu"}],
            "actionGroups": {"menu": [{"playFromUpload": upload_id}]},
        }

    problems = await desk.refused({"messages": [message(kept["id"]), message("0" * 32)]}, "/tts/3/advanced")
    assert problems == {"messages[1].actionGroups.menu[0].playFromUpload": ["there is no such upload"]}
    await desk.sent({"messages": [message(kept["id"])]}, "/tts/3/advanced")


async def test_an_upload_that_nobody_uses_for_90_days_is_dropped(desk: Desk, tmp_path: Path) -> None:
    data = tone(tmp_path, "menu.wav", 0.5)
    used, unused = await uploaded(desk, data, "used.wav"), await uploaded(desk, data, "unused.wav")
    now = datetime.now(UTC)
    await desk.store.uploads.use("acme", [used["id"]], now + timedelta(days=89))
    retention = Retention(
        store=desk.store,
        recordings=desk.recordings,
        speech=desk.speech,
        cdr_files=CdrFiles(tmp_path / "cdr"),
        sweep_journal=Journal(tmp_path / "journal").sweep,
        node="here",
        limits=Limits(timedelta(days=90), timedelta(days=60), timedelta(days=365), speech_bytes=2_000_000_000),
    )
    await retention.sweep(now + timedelta(days=90, minutes=1))
    assert [each["name"] for each in (await (await desk.get(PATH)).json())["results"]] == ["used.wav"]
    assert (await desk.speech.upload(used["id"])).seconds
    with pytest.raises(UploadUnknown):
        await desk.speech.upload(unused["id"])


@pytest.mark.parametrize("data", [b"", b"not audio", b"RIFF\xff\xff\xff\xffWAVEfmt "])
async def test_what_is_no_audio_is_refused(desk: Desk, data: bytes) -> None:
    answer = await upload(desk, data)
    assert answer.status == 400, await answer.text()
    assert list((await answer.json())["requestError"]["serviceException"]["validationErrors"]) == ["file"]
    assert (await (await desk.get(PATH)).json())["results"] == []


async def test_a_format_that_is_not_offered_is_refused(desk: Desk, tmp_path: Path) -> None:
    answer = await upload(desk, tone(tmp_path, "menu.ogg"))
    assert answer.status == 400


async def test_a_name_is_only_a_name(desk: Desk, tmp_path: Path) -> None:
    kept = await uploaded(desk, tone(tmp_path, "menu.wav", 0.5), "../../etc/pass\u202ewd" + "x" * 500)
    assert len(kept["name"]) == 200
    assert kept["name"].isprintable()


FORM = "multipart/form-data; boundary=x"
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"file": "x"}'),
        (FORM, b""),
        (FORM, b"--x\r\nbroken"),
        (FORM, FILE + b"\r\nRIFF"),
        (FORM, FILE + b"Content-Transfer-Encoding: rot13\r\n\r\nRIFF\r\n--x--\r\n"),
        (FORM, FILE + b"Content-Encoding: gzip\r\n\r\nRIFF\r\n--x--\r\n"),
        (FORM, b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\njust a text\r\n--x--\r\n'),
        (FORM, b'--x\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\nRIFF\r\n--x--\r\n'),
        (FORM, FILE.replace(b'"file"', b'"note"').replace(b'; filename="a.wav"', b"")
         + b"Content-Type: text/plain; charset=klingon\r\n\r\nHello\r\n--x--\r\n"),
        ("multipart/form-data", FILE + b"\r\nRIFF\r\n--x--\r\n"),
    ],
)  # fmt: skip
async def test_a_form_without_a_file_or_broken_is_refused(desk: Desk, content_type: str, body: bytes) -> None:
    headers = {"Authorization": "App the-key", "Content-Type": content_type}
    assert (await desk.client.post(PATH, data=body, headers=headers)).status == 400
    assert (await (await desk.get(PATH)).json())["results"] == []


async def test_an_upload_over_the_limit_is_refused(desk: Desk) -> None:
    answer = await upload(desk, bytes(3_100_000))
    assert answer.status == 413

"""What is made for one call alone is never left behind, at whatever moment nobody wants it any more."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bridge.lab.processes import until
from bridge.speech.cache import private_prompts
from bridge.speech.cache.files import write_new
from bridge.speech.engine_registry import build_engines
from bridge.speech.errors import SpeechNotStoredError
from bridge.speech.phrase import Phrase, Prompt
from bridge.speech.sound.tones import text_telephone
from bridge.speech.speech import Speech

TTY = text_telephone("pin 4711")
MAKERS: dict[str, Callable[[Speech, Path], Awaitable[Prompt]]] = {
    "a text": lambda speech, _: speech.prepare(Phrase("your PIN is, 4, 7, 1, 1", sensitive=True)),
    "a recording": lambda speech, recording: speech.prepare_file(recording),
    "a sound": lambda speech, _: speech.prepare_sound(TTY, private=True),
}

Make = Callable[[], Awaitable[Prompt]]


class Gate:
    """Holds up the writing of a file: in front of it, or behind it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, behind: bool) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

        def write(path: Path, data: bytes, *, mode: int) -> None:
            if behind:
                write_new(path, data, mode=mode)
            self.reached.set()
            assert self.opened.wait(30)
            if not behind:
                write_new(path, data, mode=mode)

        monkeypatch.setattr(private_prompts, "write_new", write)

    async def wait(self) -> None:
        assert await asyncio.to_thread(self.reached.wait, 30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "speech"


@pytest.fixture
async def speech(folder: Path) -> AsyncIterator[Speech]:
    speech = Speech(cache_dir=folder, engines=build_engines(["espeak-ng"]))
    await speech.start()
    yield speech
    await speech.close()


@pytest.fixture(params=list(MAKERS))
def make(request: pytest.FixtureRequest, speech: Speech, tmp_path: Path) -> Make:
    recording = tmp_path / "recording.wav"
    recording.write_bytes(TTY)
    return lambda: MAKERS[request.param](speech, recording)


def left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def nothing_is_left(folder: Path) -> bool:
    return await asyncio.to_thread(until, lambda: not left(folder), 30)


async def canceled(making: asyncio.Task[Prompt]) -> None:
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making


async def test_it_is_private_and_goes_with_its_call(speech: Speech, folder: Path, make: Make) -> None:
    prompt = await make()
    assert {path.parent for path in left(folder)} == {prompt.stem.parent} == {folder / "private"}
    await speech.sweep(10**9)
    assert len(left(folder)) == 2
    await speech.release(prompt)
    assert left(folder) == []


@pytest.mark.parametrize("behind", [False, True])
async def test_nobody_wants_it_any_more_while_it_is_written(
    monkeypatch: pytest.MonkeyPatch, folder: Path, make: Make, behind: bool
) -> None:
    gate = Gate(monkeypatch, behind=behind)
    making = asyncio.ensure_future(make())
    await gate.wait()
    await canceled(making)
    gate.opened.set()
    assert await nothing_is_left(folder)


async def test_nobody_wants_it_any_more_before_it_is_written(
    monkeypatch: pytest.MonkeyPatch, folder: Path, make: Make
) -> None:
    gate = Gate(monkeypatch, behind=False)
    ahead = [asyncio.ensure_future(make()) for _ in range(2)]  # there are two threads
    await gate.wait()
    making = [asyncio.ensure_future(make()) for _ in range(5)]
    await asyncio.wait(making, timeout=0.3)
    for task in [*making, *ahead]:
        await canceled(task)
    gate.opened.set()
    assert await nothing_is_left(folder)


async def test_nobody_wants_it_any_more_when_it_is_just_written(folder: Path, make: Make) -> None:
    making = asyncio.ensure_future(make())
    async with asyncio.timeout(30):
        while not left(folder):
            await asyncio.wait([making], timeout=0.0001)
    assert until(lambda: len(left(folder)) == 2, 20)
    time.sleep(0.2)  # noqa: ASYNC251 - the thread ends while the loop, held up, does not hear of it
    if not making.done():
        await canceled(making)
        assert await nothing_is_left(folder)


async def test_it_is_given_up_at_any_moment(speech: Speech, folder: Path, make: Make) -> None:
    began = time.monotonic()
    await speech.release(await make())
    took = time.monotonic() - began
    for moment in range(40):
        making = asyncio.ensure_future(make())
        await asyncio.wait([making], timeout=took * moment / 40)
        making.cancel()
        (made,) = await asyncio.gather(making, return_exceptions=True)
        if isinstance(made, Prompt):
            await speech.release(made)
    assert await nothing_is_left(folder)


async def test_a_release_that_is_cut_off_releases_all_the_same(speech: Speech, folder: Path, make: Make) -> None:
    prompts = [await make() for _ in range(3)]

    async def release() -> None:
        await speech.release(*prompts)

    releasing = asyncio.ensure_future(release())
    await asyncio.sleep(0)  # it has begun, and is no further
    releasing.cancel()
    await asyncio.wait([releasing])
    assert await nothing_is_left(folder)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("behind", [False, True])
async def test_speech_is_closed_while_it_is_written(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path, kind: str, behind: bool
) -> None:
    recording = tmp_path / "recording.wav"
    recording.write_bytes(TTY)
    speech = Speech(cache_dir=folder, engines=build_engines(["espeak-ng"]))
    await speech.start()
    kept = await MAKERS[kind](speech, recording)
    gate = Gate(monkeypatch, behind=behind)
    making = asyncio.ensure_future(MAKERS[kind](speech, recording))
    await gate.wait()
    closing = asyncio.ensure_future(speech.close())
    await asyncio.wait([closing], timeout=0.1)
    gate.opened.set()
    await closing
    await asyncio.wait([making])
    assert await nothing_is_left(folder)
    await speech.release(kept)


async def test_a_full_disk_leaves_no_half(monkeypatch: pytest.MonkeyPatch, folder: Path, make: Make) -> None:
    def fill_up(path: Path, data: bytes, *, mode: int) -> None:
        write_new(path, data[: len(data) // 2], mode=mode)
        if path.suffix == ".alaw":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(private_prompts, "write_new", fill_up)
    with pytest.raises(SpeechNotStoredError, match="No space left"):
        await make()
    assert await nothing_is_left(folder)


async def test_a_sweep_takes_what_nobody_holds(speech: Speech, folder: Path, make: Make) -> None:
    held = await make()
    released = await make()
    contents = {path: path.read_bytes() for path in left(folder) if path.stem == released.stem.name}
    await speech.release(released)
    for path, content in contents.items():
        path.write_bytes(content)
    await speech.sweep(10**9)
    assert {path.stem for path in left(folder)} == {held.stem.name}


async def test_what_is_sensitive_is_in_no_fragment(speech: Speech, folder: Path) -> None:
    await speech.prepare(Phrase("your PIN is, 4, 7, 1, 1", rate=1.5, sensitive=True))
    assert {path.parent for path in left(folder)} == {folder / "private"}

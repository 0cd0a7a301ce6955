"""What stays on the disk, who may read it, and when it goes."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from bridge.lab.processes import until
from bridge.speech.cache.cache import IN_USE_SECONDS
from bridge.speech.engine_registry import build_engines
from bridge.speech.errors import AudioUnsupported, UploadUnknown
from bridge.speech.phrase import Phrase, Prompt
from bridge.speech.speech import Speech

PIN = Phrase("your PIN is, 4, 7, 1, 1", sensitive=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "speech"


@pytest.fixture
async def speech(folder: Path) -> AsyncIterator[Speech]:
    speech = Speech(cache_dir=folder, engines=build_engines(["espeak-ng"]))
    await speech.start()
    yield speech
    await speech.close()


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def files_of(prompt: Prompt) -> list[Path]:
    return sorted(prompt.stem.parent.glob(f"{prompt.stem.name}.*"))


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def tone(ending: str, seconds: float = 2) -> bytes:
    source = ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}:sample_rate=8000"]
    command = ["ffmpeg", "-v", "error", *source, "-f", ending, "pipe:1"]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def unused_for(prompt: Prompt, seconds: float) -> None:
    for path in files_of(prompt):
        os.utime(path, times=(time.time() - seconds,) * 2)


def size(prompt: Prompt) -> int:
    return sum(path.stat().st_size for path in files_of(prompt))


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
async def test_only_asterisk_s_group_reads_what_is_sensitive(speech: Speech, folder: Path, mask: int) -> None:
    with umask(mask):
        prompt = await speech.prepare(PIN)
    assert mode(prompt.stem.parent) == 0o2750
    assert [(path.suffix, mode(path)) for path in files_of(prompt)] == [(".alaw", 0o640), (".ulaw", 0o640)]
    assert prompt.stem.is_absolute()


async def test_what_is_sensitive_is_gone_with_its_call(speech: Speech, folder: Path) -> None:
    prompt = await speech.prepare(PIN)
    assert prompt.stem.with_suffix(".ulaw").stat().st_size == prompt.seconds * 8000
    await speech.release(prompt)
    assert files_below(folder) == []


async def test_what_is_sensitive_is_spoken_like_anything_else(speech: Speech) -> None:
    private, public = await speech.prepare(PIN), await speech.prepare(Phrase(PIN.text))
    assert (private.engine, private.voice) == (public.engine, public.voice)
    assert private.seconds == pytest.approx(public.seconds, abs=0.1)


async def test_the_end_of_one_call_does_not_take_the_speech_of_another(speech: Speech) -> None:
    first, second, public = await asyncio.gather(*map(speech.prepare, [PIN, PIN, Phrase(PIN.text)]))
    await asyncio.gather(*(speech.release(prompt) for prompt in (first, public, first)))
    assert files_of(first) == []
    assert len(files_of(second)) == 2
    assert len(files_of(public)) == 3


async def test_what_nobody_waits_for_any_more_does_not_stay(speech: Speech, folder: Path) -> None:
    preparing = [asyncio.create_task(speech.prepare(PIN)) for _ in range(40)]
    async with asyncio.timeout(30):
        while not files_below(folder):
            await asyncio.wait(preparing, timeout=0.001)
        for task in preparing:
            task.cancel()
        prompts = await asyncio.gather(*preparing, return_exceptions=True)
        await asyncio.gather(*(speech.release(prompt) for prompt in prompts if isinstance(prompt, Prompt)))
        assert any(isinstance(prompt, asyncio.CancelledError) for prompt in prompts)
    assert await asyncio.to_thread(until, lambda: not files_below(folder), 30)


async def test_a_sweep_takes_what_a_killed_daemon_left_and_no_live_call_s_speech(speech: Speech, folder: Path) -> None:
    prompt = await speech.prepare(PIN)
    left = folder / "private" / "0123.ulaw"
    left.write_bytes(bytes(160))
    await speech.sweep(10**9)
    assert not left.exists()
    assert len(files_of(prompt)) == 2


async def test_a_recording_is_played_to_its_call_alone(speech: Speech, folder: Path, tmp_path: Path) -> None:
    recording = tmp_path / "recording.wav"
    recording.write_bytes(tone("wav"))
    prompt = await speech.prepare_file(recording)
    assert prompt.seconds == pytest.approx(2.05, abs=0.02)
    assert mode(prompt.stem.with_suffix(".ulaw")) == 0o640
    await speech.release(prompt)
    assert files_below(folder) == []


@pytest.mark.parametrize("content", [None, b"", tone("wav", 0.0001)[:44]])
async def test_a_recording_of_nothing_is_refused(speech: Speech, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "recording.wav").write_bytes(content)
    with pytest.raises(AudioUnsupported):
        await speech.prepare_file(tmp_path / "recording.wav")


@pytest.mark.parametrize("ending", ["wav", "mp3"])
async def test_an_upload_is_played_ever_after(speech: Speech, folder: Path, ending: str) -> None:
    upload = await speech.keep_upload(tone(ending))
    assert upload.format == ending
    assert upload.seconds == pytest.approx(2.1, abs=0.15)
    first = await speech.upload(upload.id)
    for path in files_of(first):
        path.unlink()
    restarted = Speech(cache_dir=folder, engines=build_engines(["espeak-ng"]))
    again = await restarted.upload(upload.id)
    await restarted.close()
    assert (again.stem, again.sound_seconds) == (first.stem, upload.seconds)
    assert len(files_of(again)) == 3
    assert (await speech.upload(upload.id)).cached


async def test_two_uploads_of_one_file_are_two(speech: Speech) -> None:
    first, second = await speech.keep_upload(tone("wav")), await speech.keep_upload(tone("wav"))
    await speech.drop_upload(first.id)
    with pytest.raises(UploadUnknown):
        await speech.upload(first.id)
    assert (await speech.upload(second.id)).sound_seconds == second.seconds


@pytest.mark.parametrize("data", [b"", b"MZ" + bytes(100), b"RIFF\x24\0\0\0WAVE" + bytes(100), tone("ogg")])
async def test_an_upload_that_is_not_wav_or_mp3_is_refused(speech: Speech, folder: Path, data: bytes) -> None:
    with pytest.raises(AudioUnsupported):
        await speech.keep_upload(data)
    assert files_below(folder) == []


@pytest.mark.parametrize("upload_id", ["", "A" * 32, "a" * 32, "../" * 10, "/etc/passwd", "A" * 31 + "\n", "\0"])
async def test_an_unknown_upload_is_refused(speech: Speech, upload_id: str) -> None:
    with pytest.raises(UploadUnknown) as refused:
        await speech.upload(upload_id)
    assert refused.value.id == "UPLOAD_UNKNOWN"


@pytest.mark.parametrize(("seconds", "frames"), [(0.5, 25), (1, 50), (0.01, 1), (0.29, 15), (10, 500)])
async def test_silence_is_as_long_as_asked_up_to_a_frame(speech: Speech, seconds: float, frames: int) -> None:
    prompt = await speech.silence(seconds)
    assert prompt.stem.with_suffix(".ulaw").read_bytes() == b"\xff" * (160 * frames)
    assert set(prompt.stem.with_suffix(".alaw").read_bytes()) == {0xD5}
    assert prompt.seconds == frames / 50
    assert (await speech.silence(seconds)).cached


async def test_silence_is_silent_in_wideband(folder: Path) -> None:
    speech = Speech(cache_dir=folder, codecs=("g722",), engines=build_engines(["espeak-ng"]))
    prompt = await speech.silence(0.5)
    await speech.close()
    command = ["ffmpeg", "-v", "error", "-f", "g722", "-i", f"{prompt.stem}.g722", "-f", "s16le", "pipe:1"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
    samples = np.frombuffer(done.stdout, "<i2")
    assert len(samples) == 8000
    assert np.abs(samples).max() < 10


async def test_a_sweep_takes_what_was_not_used_for_longest(speech: Speech) -> None:
    prompts = [await speech.prepare(Phrase(f"number {number}")) for number in range(4)]
    for age, prompt in enumerate(prompts, 1):
        unused_for(prompt, IN_USE_SECONDS + 100 * age)
    assert await speech.sweep(10**9) == 0
    everything = sum(path.stat().st_size for path in files_below(prompts[0].stem.parents[2]))
    removed = await speech.sweep(everything - size(prompts[3]) - 1)
    assert [len(files_of(prompt)) for prompt in prompts] == [3, 3, 0, 0]
    assert removed >= size(prompts[0])


async def test_a_sweep_leaves_what_was_used_within_the_hour(speech: Speech, folder: Path) -> None:
    old, used = await speech.prepare(Phrase("old")), await speech.prepare(Phrase("used"))
    for prompt in (old, used):
        unused_for(prompt, IN_USE_SECONDS + 60)
    assert (await speech.prepare(Phrase("used"))).cached
    await speech.sweep(0)
    assert files_of(old) == []
    assert len(files_of(used)) == 3
    assert len(list((folder / "fragments").rglob("*.8000"))) == 2


async def test_a_sweep_takes_fragments_too(speech: Speech, folder: Path) -> None:
    await speech.prepare(Phrase("one, two, three"))
    for path in files_below(folder):
        os.utime(path, (0, 0))
    await speech.sweep(0)
    assert files_below(folder) == []
    assert (await speech.prepare(Phrase("one, two, three"))).seconds > 1


async def test_a_sweep_takes_files_that_were_never_finished(speech: Speech, folder: Path) -> None:
    prompt = await speech.prepare(Phrase("finished"))
    abandoned, under_way = (prompt.stem.parent / f".{name}.ulaw.0a0a" for name in ("abandoned", "under-way"))
    for path in (abandoned, under_way):
        path.write_bytes(bytes(1000))
    os.utime(abandoned, (0, 0))
    assert await speech.sweep(10**9) == 1000
    assert not abandoned.exists()
    assert under_way.exists()
    assert len(files_of(prompt)) == 3


async def test_a_sweep_never_takes_uploads(speech: Speech, folder: Path) -> None:
    upload = await speech.keep_upload(tone("wav"))
    for path in files_below(folder):
        os.utime(path, (0, 0))
    await speech.sweep(0)
    assert (await speech.upload(upload.id)).sound_seconds == upload.seconds
    assert mode(folder / "uploads" / upload.id) == 0o600


async def test_sweeping_under_load_breaks_no_prompt(speech: Speech, folder: Path) -> None:
    phrases = [Phrase(f"number {number}") for number in range(30)]
    await asyncio.gather(*map(speech.prepare, phrases))
    for _ in range(5):
        for path in files_below(folder):
            os.utime(path, (0, 0))
        *prompts, _ = await asyncio.gather(*map(speech.prepare, phrases), speech.sweep(0))
        for prompt in prompts:
            assert isinstance(prompt, Prompt)
            assert prompt.stem.with_suffix(".ulaw").stat().st_size == prompt.seconds * 8000

"""Phrases spoken by the real espeak-ng, judged by the files that Asterisk would play."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge.speech.engine import EngineSettings
from bridge.speech.engine_registry import build_engines
from bridge.speech.engines.espeak_ng.engine import EspeakEngine
from bridge.speech.errors import (
    EngineUnavailableError,
    LanguageUnsupportedError,
    NothingToSayError,
    SpeechError,
    SpeechNotStoredError,
)
from bridge.speech.phrase import Phrase, Prompt
from bridge.speech.sound.level import active_speech_level
from bridge.speech.speech import Speech
from tests.integration.espeak_workers import Workers

AUDIBLE = 32768 * 10 ** (-45 / 20)
FORMATS = {"ulaw": ("mulaw", 8000), "alaw": ("alaw", 8000), "g722": ("g722", 16000)}


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workers:
    return Workers(tmp_path, monkeypatch)


@pytest.fixture
async def speech(workers: Workers, tmp_path: Path) -> AsyncIterator[Speech]:
    speech = Speech(cache_dir=tmp_path / "speech", engines=build_engines(["espeak-ng"]))
    await speech.start()
    yield speech
    await speech.close()


def heard(prompt: Prompt, codec: str = "ulaw") -> NDArray[np.int32]:
    ffmpeg_format, sample_rate = FORMATS[codec]
    rate = [] if codec == "g722" else ["-ar", str(sample_rate)]
    source = ["-f", ffmpeg_format, *rate, "-i", str(prompt.stem.with_suffix(f".{codec}"))]
    command = ["ffmpeg", "-v", "error", *source, "-f", "s16le", "pipe:1"]
    return np.frombuffer(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout, "<i2").astype(np.int32)


def silences(samples: NDArray[np.int32], sample_rate: int = 8000) -> list[float]:
    """Seconds of each stretch of at least 0.25 s in which no 5 ms reach -45 dBov."""
    window = sample_rate // 200
    loudness = np.sqrt(np.square(samples[: len(samples) // window * window].reshape(-1, window)).mean(axis=1))
    edges = np.flatnonzero(np.concatenate(([True], loudness >= AUDIBLE, [True])))
    lengths = (np.diff(edges) - 1) * window / sample_rate
    return [float(length) for length in lengths if length >= 0.25]


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("codec", ["ulaw", "alaw", "g722"])
async def test_each_comma_is_half_a_second_of_silence(tmp_path: Path, codec: str) -> None:
    speech = Speech(cache_dir=tmp_path, codecs=(codec,), engines=build_engines(["espeak-ng"]))
    await speech.start()
    try:
        prompt = await speech.prepare(Phrase("this,,,,is,,a,test,,,"))
    finally:
        await speech.close()
    samples = heard(prompt, codec)
    measured = silences(samples, FORMATS[codec][1])
    assert measured[:3] == pytest.approx([2.0, 1.0, 0.5], abs=0.03)
    assert measured[3] == pytest.approx(1.5 + 0.05, abs=0.03)
    assert prompt.seconds == len(samples) / FORMATS[codec][1]


@pytest.mark.parametrize("template", ["this{}is", "{}this is", "this is{}", "a,b{}c"])
async def test_a_further_comma_adds_exactly_4000_samples(speech: Speech, template: str) -> None:
    lengths = [len(heard(await speech.prepare(Phrase(template.format("," * commas))))) for commas in (1, 2, 3, 10)]
    assert [length - lengths[0] for length in lengths] == [0, 4000, 8000, 36000]


@pytest.mark.parametrize(
    "phrase",
    [
        Phrase("Your appointment is tomorrow at ten. Press one to confirm, or two to cancel."),
        Phrase("Your PIN is, 1, 2, 3, 4", gender="female"),
        Phrase("Hvala lijepa na pozivu, doviđenja!", language="hr"),
        Phrase("slowly now my friend", rate=0.5),
        Phrase("quickly now my friend", rate=2.0),
    ],
    ids=lambda phrase: phrase.text[:12],
)
@pytest.mark.parametrize("codec", ["ulaw", "alaw"])
async def test_speech_arrives_at_one_level(speech: Speech, phrase: Phrase, codec: str) -> None:
    samples = heard(await speech.prepare(phrase), codec)
    level = active_speech_level(samples.astype(np.int16), 8000)
    assert level == pytest.approx(-20, abs=1)
    assert np.abs(samples).max() < 32768 * 10 ** (-1 / 20)
    assert len(samples) % 160 == 0


async def test_every_voice_of_every_language_speaks(speech: Speech) -> None:
    voices = [(language, voice.name) for language in speech.languages() for voice in speech.voices(language)]
    prompts = await asyncio.gather(
        *(speech.prepare(Phrase("Taxi 42", language, voice=voice)) for language, voice in voices)
    )
    assert len(voices) >= 130
    for (_, voice), prompt in zip(voices, prompts, strict=True):
        assert prompt.voice == voice
        assert 0.5 < prompt.seconds < 6


async def test_the_rate_shortens_and_lengthens_the_speech(speech: Speech) -> None:
    text = "the quick brown fox jumps over the lazy dog and runs away"
    slow, normal, fast = [(await speech.prepare(Phrase(text, rate=rate))).seconds for rate in (0.5, 1.0, 2.0)]
    assert slow / normal == pytest.approx(2, rel=0.15)
    assert normal / fast == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize("trick", ["[[h@l'oU]]", "<speak><break time='9s'/>x</speak>", "\x01500S\x01x", "a\0b"])
async def test_markup_and_control_characters_are_no_commands(speech: Speech, trick: str) -> None:
    tricked = await speech.prepare(Phrase(f"hello {trick} hello"))
    plain = "".join(character if character.isalnum() else " " for character in trick)
    spelled = await speech.prepare(Phrase(f"hello {plain} hello"))
    assert spelled.seconds - 0.7 < tricked.seconds < spelled.seconds + 6
    assert max(silences(heard(tricked)), default=0) < 1.5


async def test_a_text_of_full_length_is_spoken(speech: Speech) -> None:
    prompt = await speech.prepare(Phrase(("The quick brown fox jumps over the lazy dog. " * 40)[:1400]))
    assert 60 < prompt.seconds < 180


async def test_a_text_of_nothing_but_commas_between_words_is_spoken(speech: Speech) -> None:
    prompt = await speech.prepare(Phrase("a," * 700))
    assert prompt.seconds > 350


@pytest.mark.parametrize("text", ["", ",,,", "...!?", " \n", "\x00"])
async def test_a_text_with_nothing_to_say_is_refused(speech: Speech, text: str) -> None:
    with pytest.raises(NothingToSayError):
        await speech.check(Phrase(text))
    with pytest.raises(NothingToSayError):
        await speech.prepare(Phrase(text))


async def test_an_unknown_language_is_refused(speech: Speech) -> None:
    with pytest.raises(LanguageUnsupportedError, match="en-gb"):
        await speech.prepare(Phrase("hello", "xx"))


async def test_the_same_phrase_comes_from_the_cache_also_after_a_restart(speech: Speech, tmp_path: Path) -> None:
    phrase = Phrase("said before")
    first = await speech.prepare(phrase)
    restarted = Speech(cache_dir=tmp_path / "speech", engines=build_engines(["espeak-ng"]))
    await restarted.start()
    try:
        again = await restarted.prepare(phrase)
    finally:
        await restarted.close()
    assert not first.cached
    assert again == replace(first, cached=True)


async def test_what_shapes_the_sound_gives_another_file(speech: Speech) -> None:
    phrases = [
        Phrase("four"),
        Phrase("four,"),
        Phrase("four", "en-gb"),
        Phrase("four", gender="male"),
        Phrase("four", rate=1.5),
    ]
    stems = {(await speech.prepare(phrase)).stem for phrase in phrases}
    assert len(stems) == len(phrases)


async def test_the_same_phrase_asked_twice_at_once_is_spoken_once(speech: Speech) -> None:
    prompts = await asyncio.gather(*(speech.prepare(Phrase("all at once")) for _ in range(20)))
    assert len({prompt.stem for prompt in prompts}) == 1
    assert not any(prompt.cached for prompt in prompts)


async def test_who_stops_waiting_does_not_stop_it_for_others(speech: Speech) -> None:
    impatient = asyncio.create_task(speech.prepare(Phrase("patience is a virtue")))
    patient = asyncio.create_task(speech.prepare(Phrase("patience is a virtue")))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).seconds > 0.5


async def test_a_digit_is_spoken_once_for_all_pins(speech: Speech, tmp_path: Path) -> None:
    await asyncio.gather(*(speech.prepare(Phrase(f"PIN,{pin // 10},{pin % 10}")) for pin in range(100)))
    assert len(files_below(tmp_path / "speech" / "fragments")) == 11


@pytest.mark.parametrize("harm", ["cut", "changed", "emptied", "gone"])
@pytest.mark.parametrize("ending", ["ulaw", "alaw", "json"])
async def test_a_broken_file_is_made_again(speech: Speech, ending: str, harm: str) -> None:
    phrase = Phrase("do not break me")
    prompt = await speech.prepare(phrase)
    good = prompt.stem.with_suffix(".ulaw").read_bytes()
    file = prompt.stem.with_suffix(f".{ending}")
    content = file.read_bytes()
    file.write_bytes({"cut": content[:-7], "changed": b"\x7f" + content[1:]}.get(harm, b""))
    if harm == "gone":
        file.unlink()
    again = await speech.prepare(phrase)
    assert not again.cached
    assert again.stem.with_suffix(".ulaw").read_bytes() == good
    assert (await speech.prepare(phrase)).cached


async def test_a_broken_fragment_is_spoken_again(speech: Speech, tmp_path: Path) -> None:
    prompt = await speech.prepare(Phrase("one, two"))
    for path in files_below(tmp_path / "speech" / "fragments"):
        path.write_bytes(path.read_bytes()[:1001])
    longer = await speech.prepare(Phrase("one,, two"))
    assert longer.seconds - prompt.seconds == pytest.approx(0.5, abs=0.1)


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """As on a full disk, a write fails half-way."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_leaves_nothing_broken_behind(speech: Speech, tmp_path: Path) -> None:
    phrase = Phrase("there is no space left on this device")
    with files_limited_to(4096), pytest.raises(SpeechNotStoredError):
        await speech.prepare(phrase)
    assert files_below(tmp_path) == []
    prompt = await speech.prepare(phrase)
    assert len(heard(prompt)) == prompt.seconds * 8000


async def test_asterisk_may_read_the_files_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        speech = Speech(cache_dir=tmp_path / "speech", engines=build_engines(["espeak-ng"]))
        await speech.start()
        prompt = await speech.prepare(Phrase("read me"))
        await speech.close()
    finally:
        os.umask(before)
    file = prompt.stem.with_suffix(".ulaw")
    assert file.stat().st_mode & 0o777 == 0o644
    folders = [folder for folder in file.parents if folder.is_relative_to(tmp_path / "speech")]
    assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o755] * 3


async def test_killed_workers_lose_no_request(speech: Speech, workers: Workers) -> None:
    prepared = [asyncio.create_task(speech.prepare(Phrase(f"number {number} is waiting"))) for number in range(60)]
    killed = 0
    for waited_for in range(5):
        await asyncio.wait(prepared[10 * waited_for :], return_when=asyncio.FIRST_COMPLETED)
        killed += workers.kill(1)
    prompts = await asyncio.gather(*prepared)
    assert killed >= 2
    assert len({prompt.stem for prompt in prompts}) == 60


async def test_a_worker_that_hangs_is_replaced(workers: Workers, tmp_path: Path) -> None:
    speech = Speech(cache_dir=tmp_path, engines=[EspeakEngine(EngineSettings(timeout=4))])
    await speech.start()
    try:
        await speech.check(Phrase("is anybody there"))
        hanging = workers.pids()
        for one in hanging:
            os.kill(one, signal.SIGSTOP)
        with pytest.raises(SpeechError, match="no answer within 4 s"):
            await speech.prepare(Phrase("is anybody there"))
        assert (await speech.prepare(Phrase("is anybody there"))).seconds > 0.5
        assert len(set(hanging) & set(workers.pids())) < len(hanging)
    finally:
        await speech.close()


async def test_closing_leaves_no_process_behind(workers: Workers, tmp_path: Path) -> None:
    speech = Speech(cache_dir=tmp_path / "speech", engines=build_engines(["espeak-ng"]))
    await speech.start()
    await speech.prepare(Phrase("goodbye"))
    assert workers.pids()
    await speech.close()
    assert workers.pids() == []


async def test_the_event_loop_goes_on_while_speech_is_made(speech: Speech) -> None:
    text = "the quick brown fox jumps over the lazy dog. " * 30
    all_threads, this_thread, longest = time.process_time(), time.thread_time(), 0.0
    work = asyncio.gather(*(speech.prepare(Phrase(f"{number} {text}")) for number in range(6)))
    while not work.done():
        before = time.thread_time()
        await asyncio.sleep(0.005)
        longest = max(longest, time.thread_time() - before)
    await work
    assert longest < 0.25
    assert time.thread_time() - this_thread < 0.5 * (time.process_time() - all_threads)


async def test_waiting_in_line_is_no_failure_of_the_engine(tmp_path: Path) -> None:
    speech = Speech(cache_dir=tmp_path, engines=[EspeakEngine(EngineSettings(timeout=3))])
    await speech.start()
    try:
        started = time.perf_counter()
        await asyncio.gather(*(speech.prepare(Phrase(f"number {number} " * 20)) for number in range(250)))
        assert time.perf_counter() - started > 3
    finally:
        await speech.close()


async def test_an_engine_without_its_data_says_so(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESPEAK_DATA_PATH", str(tmp_path))
    speech = Speech(cache_dir=tmp_path / "speech", engines=build_engines(["espeak-ng"]))
    with pytest.raises(EngineUnavailableError, match="espeak-ng"):
        await speech.start()
    assert workers.pids() == []

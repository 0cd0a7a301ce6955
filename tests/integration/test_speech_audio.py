"""Audio files at URLs, from hosts that do what they should not, judged by what Asterisk would play."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from numpy.typing import NDArray

from bridge.base.outbound import Outbound
from bridge.speech.audio_files import audio_files as audio_module
from bridge.speech.audio_files import downloads as downloads_module
from bridge.speech.engine_registry import build_engines
from bridge.speech.errors import AudioNotDownloaded, AudioUnsupported, SpeechError
from bridge.speech.phrase import Prompt
from bridge.speech.sound.level import active_speech_level
from bridge.speech.speech import Speech
from tests.own_processes import OwnProcesses
from tests.raw_server import answering

MEGABYTE = 1024 * 1024
TONE = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2:sample_rate=44100"]
PICTURE = ["-f", "lavfi", "-i", "testsrc=duration=2:size=64x64:rate=5"]
FORMATS = {
    "mp3": ["-b:a", "64k", "-f", "mp3"],
    "wav": ["-f", "wav"],
    "wav of 24 bits in stereo": ["-ac", "2", "-ar", "48000", "-c:a", "pcm_s24le", "-f", "wav"],
    "wav of a telephone": ["-ar", "8000", "-c:a", "pcm_mulaw", "-f", "wav"],
    "aac": ["-f", "adts"],
    "aiff": ["-f", "aiff"],
    "m4a": ["-f", "ipod"],
    "mp2": ["-f", "mp2"],
    "mp4": ["-c:a", "aac", "-f", "mp4"],
    "ogg": ["-c:a", "libvorbis", "-f", "ogg"],
    "ogg with opus": ["-c:a", "libopus", "-f", "ogg"],
    "wma": ["-c:a", "wmav2", "-f", "asf"],
}


def made(folder: Path, *arguments: str) -> bytes:
    """What ffmpeg writes."""
    file = folder / "made"
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments, str(file)], check=True)
    return file.read_bytes()


@dataclass
class AudioHost:
    """A web server with files by their path; a number in the place of a file is the status it answers with."""

    files: dict[str, bytes | int] = field(default_factory=dict)
    chunked: bool = False
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def offer(self, data: bytes | int, name: str = "audio") -> str:
        self.files[f"/{name}"] = data
        return f"{self.url}/{name}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.method)
        file = self.files[request.path]
        if isinstance(file, int):
            return web.Response(status=file)
        if not self.chunked:
            return web.Response(body=file, content_type="application/octet-stream")
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(file)
        return response


@pytest.fixture
async def host() -> AsyncIterator[AudioHost]:
    host = AudioHost()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", host.serve)
    async with TestServer(app, host="127.0.0.1") as server:
        host.url = f"http://127.0.0.1:{server.port}"
        yield host


@asynccontextmanager
async def speech_with(
    folder: Path, codecs: tuple[str, ...] = ("ulaw", "alaw"), *, allow_private: bool = True
) -> AsyncIterator[Speech]:
    outbound = Outbound(allow_private=allow_private)
    await outbound.start()
    speech = Speech(cache_dir=folder / "speech", codecs=codecs, engines=build_engines(["espeak-ng"]), outbound=outbound)
    await speech.start()
    try:
        yield speech
    finally:
        await speech.close()
        await outbound.close()


@pytest.fixture
async def speech(tmp_path: Path) -> AsyncIterator[Speech]:
    async with speech_with(tmp_path) as speech:
        yield speech


def heard(prompt: Prompt, codec: str = "ulaw") -> NDArray[np.int16]:
    formats = {"ulaw": ["-f", "mulaw", "-ar", "8000"], "alaw": ["-f", "alaw", "-ar", "8000"], "g722": ["-f", "g722"]}
    source = [*formats[codec], "-i", str(prompt.stem.with_suffix(f".{codec}"))]
    command = ["ffmpeg", "-v", "error", *source, "-f", "s16le", "pipe:1"]
    return np.frombuffer(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout, "<i2")


def spectrum(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """The level of each hertz in decibels, of a second in the middle."""
    middle = samples[len(samples) // 2 - 4000 :][:8000] * np.hanning(8000)
    return np.asarray(20 * np.log10(np.abs(np.fft.rfft(middle)) + 1))


@pytest.mark.parametrize("kind", FORMATS)
async def test_every_listed_format_is_played(speech: Speech, host: AudioHost, tmp_path: Path, kind: str) -> None:
    url = host.offer(made(tmp_path, *TONE, *FORMATS[kind]))
    prompt = await speech.prepare_audio(url, fetched_for="bulk")
    assert host.asked == ["GET"]
    assert prompt.engine == "audio"
    for codec in ("ulaw", "alaw"):
        samples = heard(prompt, codec)
        assert np.argmax(spectrum(samples)) == 440
        assert active_speech_level(samples, 8000) == pytest.approx(-20, abs=1)
        assert len(samples) == prompt.seconds * 8000
        assert len(samples) % 160 == 0
    assert prompt.seconds == pytest.approx(2.05, abs=0.15)


async def test_wideband_trunks_get_wideband(host: AudioHost, tmp_path: Path) -> None:
    both = [*TONE, "-f", "lavfi", "-i", "sine=frequency=6000:duration=2:sample_rate=44100"]
    mixed = ["-filter_complex", "amix", "-f", "wav"]
    url = host.offer(made(tmp_path, *both, *mixed))
    async with speech_with(tmp_path, ("ulaw", "g722")) as speech:
        prompt = await speech.prepare_audio(url, fetched_for="bulk")
    wide = heard(prompt, "g722")
    assert np.argmax(spectrum(wide[::2])) in {440, 2000}
    levels = 20 * np.log10(np.abs(np.fft.rfft(wide[8000:24000] * np.hanning(16000))) + 1)
    assert levels[6000] > levels[440] - 6
    narrow = spectrum(heard(prompt, "ulaw"))
    assert narrow[1990:2010].max() < narrow[440] - 40


async def test_a_constant_offset_is_taken_away(speech: Speech, host: AudioHost, tmp_path: Path) -> None:
    url = host.offer(made(tmp_path, *TONE, "-af", "dcshift=0.5", "-f", "wav"))
    samples = heard(await speech.prepare_audio(url, fetched_for="bulk"))
    assert abs(samples[4000:12000].mean()) < 50


async def test_pictures_in_a_file_are_ignored(speech: Speech, host: AudioHost, tmp_path: Path) -> None:
    film = made(tmp_path, *TONE, *PICTURE, "-c:v", "mpeg4", "-c:a", "aac", "-f", "mp4")
    cover = made(
        tmp_path, *TONE, *PICTURE, "-frames:v", "1", "-c:v", "png", "-disposition:v", "attached_pic", "-f", "mp3"
    )
    for number, data in enumerate([film, cover]):
        prompt = await speech.prepare_audio(host.offer(data, str(number)), fetched_for="bulk")
        assert prompt.seconds == pytest.approx(2.05, abs=0.15)


async def test_a_file_that_says_it_is_too_large_is_not_downloaded(speech: Speech) -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4194305\r\n\r\n", "wait") as server:
        with pytest.raises(AudioNotDownloaded, match="larger than 4194304 bytes") as failed:
            await speech.prepare_audio(server.url, fetched_for="bulk")
    assert failed.value.id == "AUDIO_NOT_DOWNLOADED"


async def test_a_file_that_does_not_say_that_it_is_too_large_is_cut_off(speech: Speech, host: AudioHost) -> None:
    host.chunked = True
    with pytest.raises(AudioNotDownloaded, match="larger than"):
        await speech.prepare_audio(host.offer(bytes(5 * MEGABYTE)), fetched_for="bulk")


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 99999\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nfff\r\nshort"]
)
async def test_a_file_that_breaks_off_on_its_way_is_not_played(speech: Speech, tmp_path: Path, framing: bytes) -> None:
    wav = made(tmp_path, *TONE, "-f", "wav")
    async with answering(b"HTTP/1.1 200 OK\r\n" + framing + wav[:9000]) as server:
        with pytest.raises(AudioNotDownloaded, match="cannot be downloaded"):
            await speech.prepare_audio(server.url, fetched_for="bulk")


async def test_a_server_that_answers_get_alone_is_enough(speech: Speech, tmp_path: Path) -> None:
    """Whatever it does when it is asked for HEAD."""
    wav = made(tmp_path, *TONE, "-f", "wav")
    async with answering(b"HTTP/1.1 200 OK\r\nServer: " + b"x" * 9000 + b"\r\n\r\n" + wav) as server:
        assert (await speech.prepare_audio(server.url, fetched_for="bulk")).seconds > 1.9
    assert [request.split()[0] for request in server.asked] == [b"GET"]


async def test_a_file_of_just_four_megabytes_is_played(speech: Speech, host: AudioHost, tmp_path: Path) -> None:
    wav = made(tmp_path, *TONE, "-f", "wav")
    prompt = await speech.prepare_audio(host.offer(wav.ljust(4 * MEGABYTE, b"\0")), fetched_for="bulk")
    assert prompt.seconds == pytest.approx(2.05, abs=0.15)


@pytest.mark.parametrize("status", [204, 401, 404, 500])
async def test_any_answer_but_200_is_no_file(speech: Speech, host: AudioHost, status: int) -> None:
    with pytest.raises(AudioNotDownloaded, match=f"answered {status}"):
        await speech.prepare_audio(host.offer(status), fetched_for="bulk")


async def test_a_file_that_never_comes_is_given_up(
    speech: Speech, host: AudioHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads_module, "SECONDS", 0.3)

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        with pytest.raises(AudioNotDownloaded, match="did not answer in time"):
            await speech.prepare_audio(f"http://127.0.0.1:{port}/", fetched_for="bulk")


@pytest.mark.parametrize("path", ["", "audio?token=t0ps3cret"])
async def test_hosts_inside_are_not_gone_to(host: AudioHost, tmp_path: Path, path: str) -> None:
    async with speech_with(tmp_path, allow_private=False) as speech:
        with pytest.raises(AudioNotDownloaded, match="not a public address") as failed:
            await speech.prepare_audio(f"{host.url}/{path}", fetched_for="bulk")
    assert host.asked == []
    assert "t0ps3cret" not in str(failed.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"<!doctype html><title>Not found</title>",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        b"RIFF\x24\0\0\0WAVE",
        b"OggS" + bytes(5000),
        b"ID3\4\0\0\0\0\1\0" + bytes(5000),
        b"\xff\xfb\x90\x64" + bytes(5000),
        b"\0\0\0\x18ftypM4A " + bytes(5000),
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(5000),
        bytes(5000),
        b"".join(hashlib.sha256(bytes([block])).digest() for block in range(160)),
    ],
    ids=lambda data: repr(data[:12]),
)
async def test_what_is_no_audio_is_refused(speech: Speech, host: AudioHost, data: bytes) -> None:
    with pytest.raises(AudioUnsupported) as failed:
        await speech.prepare_audio(host.offer(data), fetched_for="bulk")
    assert failed.value.id == "AUDIO_UNSUPPORTED"


async def test_a_film_without_sound_is_refused(speech: Speech, host: AudioHost, tmp_path: Path) -> None:
    with pytest.raises(AudioUnsupported):
        await speech.prepare_audio(
            host.offer(made(tmp_path, *PICTURE, "-c:v", "mpeg4", "-f", "mp4")), fetched_for="bulk"
        )


async def test_what_there_is_of_a_cut_file_is_played(speech: Speech, host: AudioHost, tmp_path: Path) -> None:
    mp3 = made(tmp_path, *TONE, *FORMATS["mp3"])
    prompt = await speech.prepare_audio(host.offer(mp3[: len(mp3) // 2]), fetched_for="bulk")
    assert prompt.seconds == pytest.approx(1.05, abs=0.15)


async def test_a_cut_file_of_which_nothing_can_be_read_is_refused(
    speech: Speech, host: AudioHost, tmp_path: Path
) -> None:
    m4a = made(tmp_path, *TONE, *FORMATS["m4a"])
    with pytest.raises(AudioUnsupported):
        await speech.prepare_audio(host.offer(m4a[: len(m4a) // 2]), fetched_for="bulk")


async def test_hours_packed_into_a_small_file_are_refused(speech: Speech, host: AudioHost, tmp_path: Path) -> None:
    hours = ["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=15000"]
    bomb = made(tmp_path, *hours, "-c:a", "flac", "-f", "ogg")
    assert len(bomb) < 4 * MEGABYTE
    with pytest.raises(AudioUnsupported, match="longer than 30 minutes"):
        await speech.prepare_audio(host.offer(bomb), fetched_for="bulk")


async def test_a_bulk_fetches_its_file_once(speech: Speech, host: AudioHost, tmp_path: Path) -> None:
    url = host.offer(made(tmp_path, *TONE, "-f", "wav"))
    prompts = await asyncio.gather(*(speech.prepare_audio(url, fetched_for="monday") for _ in range(20)))
    later = await speech.prepare_audio(url, fetched_for="monday")
    assert host.asked == ["GET"]
    assert {prompt.stem for prompt in prompts} == {later.stem}
    assert later.cached


async def test_the_next_bulk_fetches_anew(speech: Speech, host: AudioHost, tmp_path: Path) -> None:
    url = host.offer(made(tmp_path, *TONE, "-f", "wav"))
    monday = await speech.prepare_audio(url, fetched_for="monday")
    same = await speech.prepare_audio(url, fetched_for="tuesday")
    host.offer(made(tmp_path, *TONE, "-t", "1", "-f", "wav"))
    changed = await speech.prepare_audio(url, fetched_for="wednesday")
    assert same.stem == monday.stem != changed.stem
    assert changed.seconds == pytest.approx(1.05, abs=0.15)


async def test_a_failure_is_not_repeated_for_each_destination(
    speech: Speech, host: AudioHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = host.offer(404)
    outcomes = await asyncio.gather(
        *(speech.prepare_audio(url, fetched_for="bulk") for _ in range(20)), return_exceptions=True
    )
    with pytest.raises(AudioNotDownloaded, match="404"):
        await speech.prepare_audio(url, fetched_for="bulk")
    assert {type(outcome) for outcome in outcomes} == {AudioNotDownloaded}
    assert host.asked == ["GET"]
    host.offer(made(tmp_path, *TONE, "-f", "wav"))
    in_a_minute = time.monotonic() + audio_module.FAILURE_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: in_a_minute)
    assert (await speech.prepare_audio(url, fetched_for="bulk")).seconds > 1.9


async def test_a_file_that_is_gone_from_the_disk_is_fetched_again(
    speech: Speech, host: AudioHost, tmp_path: Path
) -> None:
    url = host.offer(made(tmp_path, *TONE, "-f", "wav"))
    prompt = await speech.prepare_audio(url, fetched_for="bulk")
    prompt.stem.with_suffix(".alaw").unlink()
    again = await speech.prepare_audio(url, fetched_for="bulk")
    assert len(heard(again, "alaw")) == again.seconds * 8000
    assert host.asked == ["GET"] * 2


async def test_closing_leaves_no_ffmpeg_behind(
    host: AudioHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{tmp_path}")
    ffmpegs = OwnProcesses("ffmpeg", str(tmp_path))
    hour = ["-f", "lavfi", "-i", "anoisesrc=r=8000:d=1750", "-c:a", "libmp3lame", "-b:a", "16k", "-f", "mp3"]
    url = host.offer(made(tmp_path, *hour))
    async with speech_with(tmp_path) as speech:
        preparing = asyncio.create_task(speech.prepare_audio(url, fetched_for="bulk"))
        async with asyncio.timeout(30):
            while not ffmpegs.pids():
                await asyncio.wait([preparing], timeout=0.01)
    assert ffmpegs.pids() == []
    with pytest.raises(asyncio.CancelledError):
        await preparing


async def test_without_a_way_out_nothing_is_downloaded(tmp_path: Path) -> None:
    speech = Speech(cache_dir=tmp_path, engines=build_engines(["espeak-ng"]))
    with pytest.raises(SpeechError, match="nothing is downloaded here"):
        await speech.prepare_audio("http://127.0.0.1/", fetched_for="bulk")
    await speech.close()

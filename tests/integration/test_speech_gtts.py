"""gTTS against a stand-in for Google's service, and the chain when the service fails."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
import subprocess
import urllib.parse
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.speech.engine import Engine, EngineSettings
from bridge.speech.engines.espeak_ng.engine import EspeakEngine
from bridge.speech.engines.gtts import GttsEngine
from bridge.speech.errors import SpeechError
from bridge.speech.phrase import Phrase
from bridge.speech.speech import Speech

PATIENCE = 3
"""Seconds the service has to answer, where another engine stands behind it."""

SPOKEN_BY_THE_SERVICE = "this is what the service says"


class Service:
    """A proxy that is itself every host behind it, and answers as Google's speech service does.

    ``answer`` is what it does next: ``speak``, ``refuse`` (429), ``hang``, ``noise`` (audio that is none) or ``page``.
    """

    def __init__(self, mp3: bytes, identity: ssl.SSLContext) -> None:
        self.answer = "speak"
        self.asked: list[tuple[str, str, str]] = []
        self._mp3 = mp3
        self._identity = identity
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            host = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode().split(":")[0]
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.start_tls(self._identity)
            headers = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(headers.split(b"content-length:")[1].split(b"\r\n")[0])
            form = urllib.parse.parse_qs((await reader.readexactly(length)).decode())
            text, language, *_ = json.loads(json.loads(form["f.req"][0])[0][0][1])
            self.asked.append((host, language, text))
            await self._reply(reader, writer)
        writer.close()

    async def _reply(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status, body = "200 OK", b"<html>sorry</html>"
        match self.answer:
            case "speak":
                body = self._envelope(self._mp3)
            case "noise":
                body = self._envelope(b"this is no mp3 at all" * 50)
            case "refuse":
                status = "429 Too Many Requests"
            case "hang":
                await reader.read()
                return
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    def _envelope(self, audio: bytes) -> bytes:
        payload = json.dumps([base64.b64encode(audio).decode()])
        return b")]}'\n\n" + json.dumps([["wrb.fr", "jQ1olc", payload, None]], separators=(",", ":")).encode() + b"\n"


@pytest.fixture(scope="module")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    async def speak() -> tuple[bytes, int]:
        engine = EspeakEngine(EngineSettings())
        await engine.start()
        audio = await engine.synthesize(SPOKEN_BY_THE_SERVICE, engine.voices("en")[0], 1)
        await engine.close()
        return audio.samples.tobytes(), audio.sample_rate

    pcm, sample_rate = asyncio.run(speak())
    source = ["-f", "s16le", "-ar", str(sample_rate), "-ac", "1", "-i", "pipe:0"]
    command = ["ffmpeg", "-v", "error", *source, "-ar", "24000", "-b:a", "64k", "-f", "mp3", "pipe:1"]
    return subprocess.run(command, input=pcm, stdout=subprocess.PIPE, check=True).stdout


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder = tmp_path_factory.mktemp("identity")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subject = ["-subj", "/CN=stand-in", "-days", "2", "-nodes"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *files], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.fixture
async def service(mp3: bytes, identity: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    service = Service(mp3, identity)
    url = await service.start()
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield service
    await service.stop()


@pytest.fixture
async def gtts_alone(tmp_path: Path) -> AsyncIterator[Speech]:
    speech = Speech(cache_dir=tmp_path / "alone", engines=[GttsEngine(EngineSettings())])
    await speech.start()
    yield speech
    await speech.close()


@pytest.fixture
async def gtts_then_espeak(tmp_path: Path) -> AsyncIterator[Speech]:
    engines: list[Engine] = [GttsEngine(EngineSettings(timeout=PATIENCE)), EspeakEngine(EngineSettings())]
    speech = Speech(cache_dir=tmp_path / "chain", engines=engines)
    await speech.start()
    yield speech
    await speech.close()


async def test_the_service_speaks_with_pauses_at_the_commas(service: Service, gtts_alone: Speech) -> None:
    plain = await gtts_alone.prepare(Phrase("hello"))
    paused = await gtts_alone.prepare(Phrase("hello,,"))
    assert (plain.engine, plain.voice) == ("gtts", "gtts-en-female")
    assert paused.seconds - plain.seconds == 1.0
    assert 1.0 < plain.seconds < 3.0


async def test_a_fragment_is_asked_for_once(service: Service, gtts_alone: Speech) -> None:
    await asyncio.gather(*(gtts_alone.prepare(Phrase(f"one,{'two,' * times}")) for times in range(5)))
    assert sorted(text for _, _, text in service.asked) == ["one", "two"]


@pytest.mark.parametrize(
    ("language", "host", "code"),
    [
        ("en-GB", "translate.google.co.uk", "en"),
        ("fil-ph", "translate.google.com", "tl"),
        ("he", "translate.google.com", "iw"),
        ("pt-br", "translate.google.com.br", "pt"),
    ],
)
async def test_a_language_is_asked_for_by_the_service_s_own_code(
    service: Service, gtts_alone: Speech, language: str, host: str, code: str
) -> None:
    await gtts_alone.prepare(Phrase("hello", language))
    assert service.asked == [(host, code, "hello")]


async def test_a_long_text_is_asked_for_in_parts(service: Service, gtts_alone: Speech) -> None:
    short = await gtts_alone.prepare(Phrase("hello"))
    long = await gtts_alone.prepare(Phrase("The quick brown fox jumps over the lazy dog. " * 5))
    parts = [text for _, _, text in service.asked[1:]]
    assert max(len(text) for text in parts) <= 100
    assert long.seconds == pytest.approx(len(parts) * short.seconds, rel=0.1)


async def test_the_rate_changes_the_tempo(service: Service, gtts_alone: Speech) -> None:
    slow, normal, fast = [(await gtts_alone.prepare(Phrase("hi", rate=rate))).seconds for rate in (0.5, 1.0, 2.0)]
    assert slow / normal == pytest.approx(2, rel=0.1)
    assert normal / fast == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("failure", ["refuse", "hang", "noise", "page"])
async def test_when_the_service_fails_the_next_engine_speaks(
    service: Service, gtts_then_espeak: Speech, failure: str
) -> None:
    service.answer = failure
    prompt = await gtts_then_espeak.prepare(Phrase("hello"))
    assert prompt.engine == "espeak-ng"
    assert len(service.asked) == 1


async def test_a_failed_service_is_passed_over_at_once(service: Service, gtts_then_espeak: Speech) -> None:
    service.answer = "hang"
    await gtts_then_espeak.prepare(Phrase("first"))
    prompts = await asyncio.gather(*(gtts_then_espeak.prepare(Phrase(f"number {n}")) for n in range(10)))
    assert {prompt.engine for prompt in prompts} == {"espeak-ng"}
    assert len(service.asked) == 1


async def test_a_burst_does_not_queue_up_behind_a_hanging_service(service: Service, gtts_then_espeak: Speech) -> None:
    service.answer = "hang"
    async with asyncio.timeout(10 * PATIENCE):
        prompts = await asyncio.gather(*(gtts_then_espeak.prepare(Phrase(f"number {n}")) for n in range(40)))
    assert {prompt.engine for prompt in prompts} == {"espeak-ng"}


async def test_what_the_service_once_said_is_used_while_it_fails(service: Service, gtts_then_espeak: Speech) -> None:
    await gtts_then_espeak.prepare(Phrase("known"))
    service.answer = "refuse"
    await gtts_then_espeak.prepare(Phrase("unknown"))
    known = await gtts_then_espeak.prepare(Phrase("known"))
    assert (known.engine, known.cached) == ("gtts", True)


async def test_a_sensitive_phrase_never_reaches_the_service(service: Service, gtts_then_espeak: Speech) -> None:
    prompt = await gtts_then_espeak.prepare(Phrase("your PIN is, 1, 2", sensitive=True))
    assert prompt.engine == "espeak-ng"
    assert service.asked == []


async def test_without_another_engine_the_error_says_why_and_not_what(service: Service, gtts_alone: Speech) -> None:
    service.answer = "refuse"
    with pytest.raises(SpeechError, match="429") as failed:
        await gtts_alone.prepare(Phrase("top secret"))
    assert failed.value.id == "SPEECH_FAILED"
    assert "secret" not in str(failed.value)


async def test_symbols_the_service_cannot_say_are_left_out(service: Service, gtts_alone: Speech) -> None:
    prompt = await gtts_alone.prepare(Phrase("hello,#,"))
    assert prompt.seconds > 2

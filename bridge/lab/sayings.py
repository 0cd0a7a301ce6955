"""What the telephones of the lab say: µ-law (ITU-T G.711) without header, made by espeak-ng."""

from __future__ import annotations

import io
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from bridge.speech.sound.codec import encode

SAMPLES_A_SECOND = 8000
BEEP_SECONDS = 0.5
BEEP_PEAK = 4096
SILENCE = "silence.ulaw"


@dataclass(frozen=True, slots=True)
class Saying:
    """Texts and pauses (seconds) in their order; ``beep`` (hertz) follows. ``voice`` and ``speed`` are espeak-ng's."""

    parts: tuple[str | float, ...]
    voice: str = "en"
    speed: int = 160
    beep: int | None = None

    def sound(self) -> bytes:
        """All of it as µ-law bytes, 8 kHz."""
        parts = [_silence(part) if isinstance(part, float) else self._spoken(part) for part in self.parts]
        return encode(np.concatenate([*parts, _beep(self.beep)] if self.beep else parts), "ulaw")

    def _spoken(self, text: str) -> NDArray[np.int16]:
        command = ["espeak-ng", "-v", self.voice, "-s", str(self.speed), "--stdout", text]
        spoken = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
        with wave.open(io.BytesIO(spoken)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            return np.asarray(soxr.resample(samples, file.getframerate(), SAMPLES_A_SECOND), np.int16)


HUMANS = (
    Saying((0.5, "Hello?")),
    Saying((0.2, "Yes?"), "en+f3"),
    Saying((1.2, "Hello?"), "en-us+m3", 140),
    Saying((0.4, "Hello, who is there?"), "en+f2"),
    Saying((0.6, "Marlow.")),
    Saying((0.5, "Ada Marlow speaking."), "en+f4", 180),
    Saying((0.3, "Good morning, Marlow."), "en-us"),
    Saying((0.7, "Ja, bitte?"), "de"),
    Saying((0.4, "Halo, molim?"), "hr"),
    Saying((0.8, "Allo, oui?"), "fr-fr"),
    Saying((0.3, "Pronto!"), "it"),
    Saying((0.5, "Hello?", 1.0, "Hello?"), "en+f3"),
    Saying((0.4, "Hi, this is Ada."), "en+f5", 170),
    Saying((1.8, "Yes, hello?"), "en+m5", 150),
    Saying((0.5, "Good morning, Marlow and sons, Ada speaking, how may I help you?"), "en+f2", 170),
)
"""People who answer, and then listen."""

VOICEMAIL = (
    Saying(
        (
            0.3,
            "Hello, this is the voice mail of Ada Marlow. I am not here at the moment.",
            "Please leave a message after the tone.",
        ),
        beep=1000,
    ),
    Saying((0.5, "Hi, you have reached Ada. Leave a message."), "en+f3", beep=1400),
    Saying((1.0, "The person you are calling is not available. Please try again later."), "en-us+m3", 150),
    Saying(
        (
            0.8,
            "Hello.",
            0.3,
            "You have reached the office of Marlow and sons.",
            1.0,
            "We are closed.",
            1.2,
            "Please leave your name and number.",
            0.8,
        ),
        "en+f2",
        beep=440,
    ),
    Saying((0.2, "Your call has been forwarded to an automatic voice message system."), "en-us", 175, beep=1000),
    Saying((1.5, "Welcome to the mail box of four one seven nine zero. Record after the beep.", 1.5), "en", beep=950),
    Saying((0.4, "Hi there!", 0.25, "Ada here, I cannot come to the phone right now.", 0.5), "en+f4", 180, beep=1000),
    Saying((0.6, "Guten Tag. Der Teilnehmer ist nicht erreichbar. Bitte sprechen Sie nach dem Ton."), "de", beep=800),
    Saying((0.5, "Dobar dan, dobili ste govornu poštu. Ostavite poruku nakon signala."), "hr", beep=1000),
    Saying((0.7, "Bonjour, vous êtes bien sur le répondeur de Ada. Laissez un message."), "fr-fr", beep=440),
    Saying((2.0, "Please leave a message after the tone."), "en-us+f2", 150, beep=1000),
    Saying((0.3, "Ada's phone. Beep.", 0.4, "You know what to do."), "en+f3", 190, beep=1000),
    Saying((0.5, "Hello?", 1.5, "I am not really here, so leave a message."), "en+m3", 160, beep=1000),
)
"""Greetings of machines; those with a beep record after it."""

TALKER = Saying(tuple(f"{number}, a telephone that talks and talks." for number in range(1, 30)), "en+f2", 150)
"""Somebody who never stops, for a minute."""

SAYINGS = {
    **{f"human-{index:02}": saying for index, saying in enumerate(HUMANS)},
    **{f"voicemail-{index:02}": saying for index, saying in enumerate(VOICEMAIL)},
    "talker": TALKER,
}
"""By name of its folder, which is also the music-on-hold class that plays it while the telephone listens."""


def keep(folder: Path, saying: Saying) -> None:
    """Write a folder for music on hold. That begins again at its end, so ten minutes of silence follow the speech."""
    if folder.exists():
        return
    partial = folder.with_suffix(".partial")
    partial.mkdir(exist_ok=True)
    (partial / "1.ulaw").write_bytes(saying.sound())
    (partial / "2.ulaw").symlink_to(folder.parent / SILENCE)
    partial.rename(folder)


def keep_silence(parent: Path) -> None:
    """Write the ten minutes of silence that follow each saying."""
    (parent / SILENCE).write_bytes(encode(_silence(600.0), "ulaw"))


def _silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros(round(SAMPLES_A_SECOND * seconds), np.int16)


def _beep(hertz: int) -> NDArray[np.int16]:
    samples = np.arange(round(SAMPLES_A_SECOND * BEEP_SECONDS))
    beep = BEEP_PEAK * np.sin(2 * np.pi * hertz * samples / SAMPLES_A_SECOND)
    return np.asarray(np.rint(beep), np.int16)

"""The chain of engines, each behind a circuit breaker, a timeout and a limit of requests at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog

from bridge.speech.breaker import Breaker
from bridge.speech.engine import Engine, Voice
from bridge.speech.errors import EngineFailedError
from bridge.speech.sound.samples import Waveform

log = structlog.get_logger(__name__)


class GuardedEngine:
    """One engine with its breaker: at most ``concurrency`` requests at once, each within ``timeout``."""

    def __init__(self, engine: Engine, *, always_tried: bool) -> None:
        self.engine = engine
        self._always_tried = always_tried
        self._breaker = Breaker()
        self._slots = asyncio.Semaphore(engine.concurrency)

    async def synthesize(self, text: str, voice: Voice, rate: float) -> Waveform:
        """Raises EngineFailedError: it failed, was too slow, or is passed over because it did so before."""
        async with self._slots:
            if not self._breaker.allows(time.monotonic()) and not self._always_tried:
                raise EngineFailedError(f"{self.engine.name} is passed over: it failed before")
            try:
                async with asyncio.timeout(self.engine.timeout):
                    waveform = await self.engine.synthesize(text, voice, rate)
            except (EngineFailedError, TimeoutError) as error:
                reason = str(error) or f"no answer within {self.engine.timeout:g} s"
                self._breaker.failed(time.monotonic())
                log.warning("speech engine failed", engine=self.engine.name, reason=reason)
                raise EngineFailedError(f"{self.engine.name}: {reason}") from error
            self._breaker.succeeded()
            return waveform

    async def unheard(self, texts: Sequence[str], voice: Voice) -> list[str]:
        """Characters that the voice would pass over; none when the engine does not answer.

        Then the text is accepted, and the call shows whether the engine speaks it.
        """
        try:
            async with asyncio.timeout(self.engine.timeout):
                return await self.engine.unheard(texts, voice)
        except (EngineFailedError, TimeoutError) as error:
            reason = str(error) or f"no answer within {self.engine.timeout:g} s"
            log.warning("speech engine not asked", engine=self.engine.name, reason=reason)
            return []


def chain(engines: Sequence[Engine]) -> dict[str, GuardedEngine]:
    """The engines by their names, guarded.

    A local engine with nothing behind it is always tried: passing it over would let one bad text fail several.
    """
    last = engines[-1]
    return {engine.name: GuardedEngine(engine, always_tried=engine is last and engine.local) for engine in engines}

"""espeak-ng: local, fast, every language of the contract but Filipino."""

from bridge.speech.engines.espeak_ng.engine import ENGINE

__all__ = ["ENGINE"]

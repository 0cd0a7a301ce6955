"""Text to the words that an engine is given. Pure: the same function serves the check and the call."""

from bridge.speech.text.fragments import fragments
from bridge.speech.text.meaning import carries_meaning

__all__ = ["carries_meaning", "fragments"]

"""Normalisation of a text to the words that an engine is given. Pure: the check and the call use the same function."""

from bridge.speech.text.fragments import fragments
from bridge.speech.text.meaning import carries_meaning

__all__ = ["carries_meaning", "fragments"]

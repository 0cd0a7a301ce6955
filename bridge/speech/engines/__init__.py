"""Engines: words to sound."""

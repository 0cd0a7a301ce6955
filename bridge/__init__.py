"""Voicebridge: a self-hosted Voice API on your own Asterisk."""

__version__ = "0.1.0"

"""Sending messages: texts, audio files and scripts to telephones."""

from bridge.api.messages import advanced, multi, single

ROUTES = (*single.ROUTES, *multi.ROUTES, *advanced.ROUTES)

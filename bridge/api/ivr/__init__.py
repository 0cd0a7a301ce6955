"""IVR: scenarios, messages that launch them, what they record, and the audio files that they play."""

from bridge.api.ivr import files, messages, scenarios, uploads

ROUTES = (*scenarios.ROUTES, *messages.ROUTES, *files.ROUTES, *uploads.ROUTES)

"""``dialToWebRTC``, a verb of the hosted service, is refused."""

from __future__ import annotations

from bridge.scripts.builder import refused

VERB = refused("dialToWebRTC", "only telephone numbers can be dialled")

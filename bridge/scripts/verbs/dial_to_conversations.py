"""``dialToConversations``, a verb of the hosted service, is refused."""

from __future__ import annotations

from bridge.scripts.builder import refused

VERB = refused("dialToConversations", "only telephone numbers can be dialled")

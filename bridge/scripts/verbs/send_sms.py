"""``sendSms``, a verb of the hosted service, is refused."""

from __future__ import annotations

from bridge.scripts.builder import refused

VERB = refused("sendSms", "there is nothing here to send an SMS with")

"""When to call, and one attempt from claim to outcome."""

from bridge.dialer.attempt import AttemptRunner
from bridge.dialer.dialer import Dialer
from bridge.dialer.recovery import Recovery
from bridge.dialer.traffic import Traffic

__all__ = ["AttemptRunner", "Dialer", "Recovery", "Traffic"]

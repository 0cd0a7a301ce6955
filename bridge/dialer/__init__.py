"""When to call, and one attempt from claim to outcome."""

from bridge.dialer.attempt import AttemptRunner
from bridge.dialer.dialer import Dialer

__all__ = ["AttemptRunner", "Dialer"]

"""Telephone calls, whatever carries them: events, outcomes, causes, failover, formats of numbers. Pure: no I/O."""

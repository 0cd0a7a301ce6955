"""The interpreter: events in, commands out."""

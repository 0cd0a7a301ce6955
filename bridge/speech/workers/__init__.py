"""Processes of their own for engines: what may crash, hang or grow does it there."""

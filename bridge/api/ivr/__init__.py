"""Scenarios, what they are launched with, and what they record."""

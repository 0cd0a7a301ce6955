"""Attempts, from the claim to the outcome: script, prompts, progress."""

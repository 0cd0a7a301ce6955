"""One attempt, from the claim to its outcome: script, prompts, progress."""

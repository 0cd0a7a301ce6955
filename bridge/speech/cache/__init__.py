"""Speech on the disk: the cache, what nodes share of it, and prompts that are private to one call."""

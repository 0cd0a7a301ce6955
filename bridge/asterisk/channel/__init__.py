"""One channel: what happens on it, and what is done there."""

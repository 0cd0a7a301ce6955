"""Sound that is kept: speech, private prompts, downloads, uploads."""

"""Sound as numbers: its level, its codecs, its length."""

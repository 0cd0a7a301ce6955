"""Audio files: downloads, uploads and recordings, made into prompts."""

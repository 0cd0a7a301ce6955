"""What applications and recordings bring: audio files, made into prompts."""

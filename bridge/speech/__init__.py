"""Speech: texts and audio files made into prompts, sound files in the trunks' own codecs."""

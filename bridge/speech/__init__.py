"""Words to sound: texts and audio files in, files in the trunks' own codecs out."""

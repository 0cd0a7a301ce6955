"""Signal processing: fragments, levels, mixing, codecs, decoding, tones."""

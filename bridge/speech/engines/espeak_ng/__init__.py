"""espeak-ng: local, fast, every language of the contract but Filipino."""

"""Engines: words to sound. Each module here is one, called as the module is; its ``ENGINE`` says what it is."""

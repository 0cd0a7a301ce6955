"""Messages are sent: texts, audio files and scripts to telephones."""

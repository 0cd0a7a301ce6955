"""Worker processes of engines: what may crash, hang or grow does so outside the daemon."""

"""What a script can do."""

"""Recordings, from Asterisk's file to the application's download."""

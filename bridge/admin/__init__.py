"""What operators run beside the daemon: checks, keys, the schema, a restored database, Asterisk's configuration."""

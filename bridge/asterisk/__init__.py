"""The only room that knows Asterisk: the AMI link, calls on their channels, the journal, configuration files."""

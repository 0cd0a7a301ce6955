"""All that knows Asterisk: the AMI link, calls on their channels, the journal, trunks, configuration files."""

"""The lab: a daemon, its Asterisk and a carrier with telephones on loopback, to try everything on."""

"""Reports: what came of a message, as CDR, delivery report, log entry and push; and how long it is kept."""

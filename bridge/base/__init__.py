"""What every room stands on: errors, logs, supervised tasks, the way out to URLs, object storage, the data folder."""

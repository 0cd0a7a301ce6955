"""What every room stands on: errors, logs, tasks, backoff, threads, the way out, object storage, the data folder."""

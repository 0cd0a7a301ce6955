"""Messages from request to final status: content, times, windows, retry, statuses and errors. Pure: no I/O."""

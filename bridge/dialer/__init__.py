"""When to call, and one attempt from claim to outcome."""

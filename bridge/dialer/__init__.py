"""When to call: what is due, the pace of trunks, leases, recovery."""

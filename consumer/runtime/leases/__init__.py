"""Which shards this worker runs: the heartbeat, the scans of the lease table, the plan."""

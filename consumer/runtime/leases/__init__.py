"""Which shards this worker runs: heartbeat, peers, plan, running shards."""

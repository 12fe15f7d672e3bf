"""Who reads which shard: leases, peers, lineage, plan."""

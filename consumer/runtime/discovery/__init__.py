"""Which shards exist: listings, children, parents, the start of a stream."""

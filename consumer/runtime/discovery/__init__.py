"""Finding shards: listings, children, parents, the start of a stream."""

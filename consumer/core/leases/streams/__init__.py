"""The streams of a table: their shards, their order, and how each begins and ends."""

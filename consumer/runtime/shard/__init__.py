"""The life of one shard in this process: its lease is taken, it is read, settled and released."""

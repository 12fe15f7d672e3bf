"""Reading one shard: where it stands, when it is asked again, what it lost."""

"""Reading one shard: its position, when it is asked again, what it lost."""

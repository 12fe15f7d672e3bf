"""Our own DynamoDB Streams: a pure model whose shards rotate, split and age, and a server on it."""

"""DynamoDB Streams as values: tables, streams, shards, records. Pure: no clock, no randomness."""

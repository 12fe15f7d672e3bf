"""What DynamoDB Streams answers: streams, shards, pages, records."""

"""AWS: DynamoDB Streams, the dead letter queue in SQS, and what their errors mean."""

"""The dead letter queue in SQS."""

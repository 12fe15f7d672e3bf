"""From the backlog to Nakadi, or to the dead letter queue."""

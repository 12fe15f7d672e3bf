"""Publishing what is in the dead letter queue again."""

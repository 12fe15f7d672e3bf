"""What an event type shows of an item, and under which names."""

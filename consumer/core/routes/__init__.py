"""Routes: the event types to which changes are published, and the form of their events."""

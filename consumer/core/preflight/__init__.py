"""Does the event type take our events? Checks before the first one is sent."""

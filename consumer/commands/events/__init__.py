"""Commands about events and their type."""

"""Where changes are published, and as what."""

"""What is read from a table, and how fast."""

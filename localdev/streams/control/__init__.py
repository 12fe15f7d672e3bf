"""What the service does not have: commands that split, trim, fill and tell the truth."""

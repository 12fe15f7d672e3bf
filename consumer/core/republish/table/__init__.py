"""The table as it is read: its description, its answers, their items."""

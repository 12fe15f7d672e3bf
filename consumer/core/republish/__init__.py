"""Items that were read from the table, and the events by which readers learn of them again."""
